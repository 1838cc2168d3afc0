import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { insertApiKey, listApiKeys } from '../db/api-keys.ts'
import type { Database } from '../db/client.ts'

/** Keys made by other nodes are noticed this soon. */
const REFRESH_MS = 1_000

/** Whoever shows a stored key after this time has the list read again, so that a key that was removed is refused from then on. */
const RECHECK_MS = 5_000

interface KnownKey {
  readonly name: string
  readonly hash: Buffer
}

/** Tells who presents a key. The database knows hashes only, and the comparison takes the same time for every key. */
export class ApiKeys {
  private stored: KnownKey[] = []
  /** Those presented before and found in the list as it is: they are not hashed again. */
  private readonly accepted = new Map<string, KnownKey>()
  private refreshedMs = Number.NEGATIVE_INFINITY
  private refreshing: Promise<void> | undefined
  private readonly db: Database
  private readonly configured: KnownKey | undefined

  /** @param configured the key of the environment: accepted, never stored. */
  constructor(db: Database, configured: string | undefined) {
    this.db = db
    this.configured = configured === undefined ? undefined : { name: 'DO_API_KEY', hash: hashOf(configured) }
  }

  /** The name of the key; `undefined` for one that is not accepted. Rejects while the database cannot be asked. */
  async identify(presented: string | undefined): Promise<string | undefined> {
    if (!presented) return undefined
    const known = this.match(presented)
    const ageMs = performance.now() - this.refreshedMs
    // nobody waits for it: while the database is away, what was accepted stays so
    if (known && known !== this.configured && ageMs >= RECHECK_MS) this.refresh().catch(() => {})
    if (known || ageMs < REFRESH_MS) return known?.name
    await this.refresh()
    return this.match(presented)?.name
  }

  /** Those that come meanwhile wait for the same answer. */
  private refresh(): Promise<void> {
    this.refreshing ??= this.read().finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  private async read(): Promise<void> {
    this.stored = await listApiKeys(this.db)
    this.accepted.clear()
    this.refreshedMs = performance.now()
  }

  private match(presented: string): KnownKey | undefined {
    const accepted = this.accepted.get(presented)
    if (accepted) return accepted
    const hash = hashOf(presented)
    let found: KnownKey | undefined
    for (const known of this.configured ? [this.configured, ...this.stored] : this.stored)
      if (timingSafeEqual(known.hash, hash)) found = known
    if (found) this.accepted.set(presented, found)
    return found
  }
}

/** What the start tells about the key. */
export type FirstKey =
  | { readonly kind: 'configured' }
  /** Made just now: shown this once. */
  | { readonly kind: 'made'; readonly key: string; readonly file: string | undefined }
  | { readonly kind: 'in-file'; readonly file: string }
  | { readonly kind: 'made-before' }

/**
 * Makes the first key where none is configured and none exists. Call under the migration lock: of several nodes that start
 * at once one makes it.
 * @param file where the embedded database's key is kept, readable by its owner alone; `undefined` with DATABASE_URL.
 */
export async function ensureFirstKey(
  db: Database,
  configured: string | undefined,
  file: string | undefined,
): Promise<FirstKey> {
  if (configured !== undefined) return { kind: 'configured' }
  const stored = await listApiKeys(db)
  const kept = file === undefined ? undefined : await readKey(file)
  if (file !== undefined && kept !== undefined && stored.some(({ hash }) => timingSafeEqual(hash, hashOf(kept))))
    return { kind: 'in-file', file }
  if (file === undefined && stored.length > 0) return { kind: 'made-before' }
  const key = `do_${randomBytes(24).toString('base64url')}`
  await insertApiKey(db, 'first', hashOf(key))
  if (file !== undefined) await writeKey(file, key)
  return { kind: 'made', key, file }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

async function readKey(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}

async function writeKey(file: string, key: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const fresh = `${file}.${process.pid}`
  await writeFile(fresh, `${key}\n`, { mode: 0o600 })
  await chmod(fresh, 0o600)
  await rename(fresh, file)
}
