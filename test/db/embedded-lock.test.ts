import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { withLock } from '../../src/db/embedded/lock.ts'
import { startOf } from '../../src/db/embedded/process.ts'
import { cleanUp, firstLine, newDataDir, runScript } from './embedded-support.ts'

afterEach(cleanUp)

const patient = () => AbortSignal.timeout(20_000)

test('the lock admits one at a time and leaves no file behind', async () => {
  const directory = await newDataDir()
  let inside = 0
  const work = async () => {
    expect(++inside).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
  }
  await Promise.all(Array.from({ length: 10 }, () => withLock(join(directory, 'lock'), patient(), work)))
  expect(await readdir(directory)).toEqual([])
})

test('the lock is given back when the work fails', async () => {
  const path = join(await newDataDir(), 'lock')
  await expect(withLock(path, patient(), () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck')
  expect(await withLock(path, patient(), async () => 'mine')).toBe('mine')
})

test('who waits in vain learns which process holds the lock', async () => {
  const path = join(await newDataDir(), 'lock')
  await withLock(path, patient(), async () => {
    const waiting = withLock(path, AbortSignal.timeout(50), async () => {})
    await expect(waiting).rejects.toThrow(`Process ${process.pid} is starting or stopping Postgres`)
  })
})

test('the lock of a process that had this pid before, or of one whose file a power failure emptied, is broken', async () => {
  const path = join(await newDataDir(), 'lock')
  for (const left of [JSON.stringify({ id: 'abcdef', pid: process.pid, start: 'an earlier boot/1' }), '']) {
    await writeFile(path, left)
    expect(await withLock(path, patient(), async () => 'mine')).toBe('mine')
  }
})

test('a lock whose breaker died too is broken', async () => {
  const path = join(await newDataDir(), 'lock')
  await writeFile(path, JSON.stringify({ id: 'aa', pid: 2 ** 22 + 1, start: 'x' }))
  await writeFile(`${path}.aa`, JSON.stringify({ id: 'bb', pid: 2 ** 22 + 2, start: 'x' }))
  expect(await withLock(path, patient(), async () => 'mine')).toBe('mine')
})

test('of many processes, some killed while they hold it, never two have the lock', async () => {
  const directory = await newDataDir()
  const [path, notes] = [join(directory, 'lock'), join(directory, 'notes')]
  const doomed = Array.from({ length: 3 }, () => runScript('embedded-lock-child', [path, notes, '1000000']))
  const steady = Array.from({ length: 4 }, () => runScript('embedded-lock-child', [path, notes, '60']))
  const ended = steady.map((child) => once(child, 'exit'))
  for (const child of doomed) {
    await firstLine(child)
    child.kill('SIGKILL')
  }
  for (const exit of ended) expect((await exit)[0]).toBe(0)
  expect(overlaps(await readFile(notes, 'utf8'), new Set(doomed.map((child) => String(child.pid))))).toEqual([])
})

test('the start of a process tells it from others', async () => {
  expect(await startOf(process.pid)).toBeTruthy()
  expect(await startOf(process.pid)).toBe(await startOf(process.pid))
  expect(await startOf(2 ** 22 + 1)).toBeUndefined()
})

/** Each "in" must be followed by the same process's "out", unless that one was killed inside. */
function overlaps(notes: string, killed: Set<string>): string[] {
  const found: string[] = []
  let inside: string | undefined
  for (const line of notes.trim().split('\n')) {
    const [what, pid] = line.split(' ')
    if (what === 'in' && inside !== undefined && !killed.has(inside)) found.push(`${pid} while ${inside} was inside`)
    if (what === 'out' && inside !== pid) found.push(`${pid} was inside with ${inside}`)
    inside = what === 'in' ? pid : undefined
  }
  return found
}
