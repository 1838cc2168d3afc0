import { appendFileSync, closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'

interface Journal<T> {
  /** In the order of the file, those of other processes included. */
  entries(): readonly T[]
  /** The entry is on disk when this returns. */
  append(entry: T): void
  close(): void
}

/**
 * A list that outlives its process: a file with one JSON value a line, which several processes may share. Without a file,
 * a list in memory.
 */
export function openJournal<T>(parse: (value: unknown) => T, file?: string): Journal<T> {
  if (file === undefined) return inMemory()
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a+')
  const entries: T[] = []
  let readTo = 0
  /** Takes up the whole lines that have come since. */
  const refresh = (): void => {
    const fresh = Buffer.alloc(fstatSync(fd).size - readTo)
    if (fresh.length === 0) return
    readSync(fd, fresh, 0, fresh.length, readTo)
    const end = fresh.lastIndexOf('\n') + 1
    const lines = fresh.toString('utf8', 0, end).split('\n').slice(0, -1)
    entries.push(...lines.map((line) => parse(JSON.parse(line))))
    readTo += end
  }
  refresh()
  // a crash may have cut the last line short: nobody was told that it was kept
  ftruncateSync(fd, readTo)
  return {
    entries() {
      refresh()
      return entries
    },
    append(entry) {
      appendFileSync(fd, `${JSON.stringify(entry)}\n`)
      fsyncSync(fd)
    },
    close: () => closeSync(fd),
  }
}

function inMemory<T>(): Journal<T> {
  const entries: T[] = []
  return {
    entries: () => entries,
    append(entry) {
      entries.push(entry)
    },
    close() {},
  }
}
