import { appendFileSync, closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

interface Journal<T> {
  readonly entries: readonly T[]
  /** The entry is on disk when this returns. */
  append(entry: T): void
  close(): void
}

/** A list that outlives its process: a file with one JSON value a line. Without a file, a list in memory. */
export function openJournal<T>(parse: (value: unknown) => T, file?: string): Journal<T> {
  if (file === undefined) return inMemory()
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a+')
  const content = readFileSync(fd)
  // a crash may have cut the last line short: nobody was told that it was kept
  const end = content.lastIndexOf('\n') + 1
  ftruncateSync(fd, end)
  const lines = content.toString('utf8', 0, end).split('\n').slice(0, -1)
  const entries = lines.map((line) => parse(JSON.parse(line)))
  return {
    entries,
    append(entry) {
      appendFileSync(fd, `${JSON.stringify(entry)}\n`)
      fsyncSync(fd)
      entries.push(entry)
    },
    close: () => closeSync(fd),
  }
}

function inMemory<T>(): Journal<T> {
  const entries: T[] = []
  return {
    entries,
    append(entry) {
      entries.push(entry)
    },
    close() {},
  }
}
