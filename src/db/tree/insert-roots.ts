import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'

/** The root of a tree that is about to be made. */
export interface NewRoot {
  readonly bucket: number
  readonly id: string
  readonly name: string
  readonly version: string
  readonly graph: string
  readonly idempotencyKey: string | null
  /** Hexadecimal. */
  readonly fingerprint: string
  readonly params: unknown
  readonly priority: number
}

const statement: JsonStatement<{ id: string }> = jsonStatement(`
insert into action_do.runs (
  bucket, id, kind, name, version, effect, root_id, idempotency_key, fingerprint, params, status, priority, generation,
  attempt, failures, losses, probe, fence, last_seq, created_at, graph)
select i.bucket, i.id, 'WORKFLOW', i.name, i.version, 'idempotent', i.id, i."idempotencyKey", decode(i.fingerprint, 'hex'),
  -- the JSON value null arrives as an SQL null
  coalesce(i.params, 'null'::json), 'RUNNING', i.priority, 1, 0, 0, 0, false, 0, 0,
  clock_timestamp() + make_interval(secs => i."offsetMs" / 1000.0), i.graph
from json_to_recordset(:input) as i(
  bucket int2, id uuid, name text, version text, graph text, "idempotencyKey" text, fingerprint text, params json,
  priority int2, "offsetMs" float8)
on conflict (bucket, id) do nothing
returning id`)

/**
 * Inserts the roots that do not exist yet, without an event: the transaction goes on to say what becomes of them.
 * @returns the ids of those that are new; the others were there, and their primary key is their idempotency.
 */
export async function insertRoots(
  run: StatementRunner,
  roots: readonly NewRoot[],
  offsetMs: number,
): Promise<Set<string>> {
  const rows = await run(
    statement,
    roots.map((root) => ({ ...root, offsetMs })),
  )
  return new Set(rows.map(({ id }) => id))
}
