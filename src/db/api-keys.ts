import { newRunId } from '../core/ids.ts'
import type { Database } from './client.ts'

export function listApiKeys(db: Database): Promise<{ name: string; hash: Buffer }[]> {
  return db.hot<{ name: string; hash: Buffer }[]>`select name, hash from action_do.api_keys order by created_at`
}

/** @param hash SHA-256 of the key, which itself is never stored. */
export async function insertApiKey(db: Database, name: string, hash: Buffer): Promise<void> {
  await db.hot`
    insert into action_do.api_keys (id, name, hash, created_at) values (${newRunId()}, ${name}, ${hash}, now())`
}
