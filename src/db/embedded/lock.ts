import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { CannotRunPostgres, codeOf } from './failure.ts'
import { startOf } from './process.ts'

const POLL_MS = 20

interface Owner {
  /** Unique for each time that the lock is taken. */
  readonly id: string
  readonly pid: number
  readonly start: string
}

/**
 * Runs `work` while no other process on this machine does so under the same `path`. The lock dies with its process.
 *
 * The lock is a file that names its owner. The hard part is to remove the file of a dead owner: two that both see it
 * might remove each other's new one. So only who holds the lock named after that owner (`<path>.<id>`, taken in this
 * same way) may remove it, after another look. An id never comes back, therefore a late comer who takes that lock finds
 * another id in the file and leaves it alone; a remover that dies is itself a dead owner.
 */
export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  await take(path, signal)
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string, signal: AbortSignal): Promise<void> {
  const me = await newOwner()
  for (;;) {
    const holder = await ownerOf(path)
    if (holder === undefined) {
      if (await create(path, me)) return
    } else if (await isAlive(holder)) {
      await sleep(POLL_MS, undefined, { signal }).catch((cause) => {
        throw new CannotRunPostgres(`Process ${holder.pid} is starting or stopping Postgres and holds ${path}.`, cause)
      })
    } else {
      await withLock(`${path}.${holder.id}`, signal, async () => {
        if ((await ownerOf(path))?.id === holder.id) await rm(path, { force: true })
      })
    }
  }
}

/** Creates the file with its content at once, so that nobody ever reads half of it. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.id}.new`
  try {
    await writeFile(draft, JSON.stringify(owner), { mode: 0o600 })
    await link(draft, path)
    return true
  } catch (error) {
    // ENOENT: whoever just had the lock swept the draft away
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    return parseOwner(await readFile(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A file without an owner is what a power failure left of one. */
function parseOwner(text: string): Owner {
  const owner = /^\{"id":"([0-9a-f]+)","pid":(\d+),"start":"([^"]*)"\}$/.exec(text)
  if (!owner) return { id: 'unreadable', pid: 0, start: '' }
  return { id: owner[1]!, pid: Number(owner[2]), start: owner[3]! }
}

async function isAlive(owner: Owner): Promise<boolean> {
  return owner.pid > 0 && (await startOf(owner.pid)) === owner.start
}

async function newOwner(): Promise<Owner> {
  return { id: randomBytes(6).toString('hex'), pid: process.pid, start: (await startOf(process.pid)) ?? '' }
}
