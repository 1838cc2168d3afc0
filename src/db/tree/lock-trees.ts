import { hasLease } from '../leases.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'

export interface LockedTrees {
  /** The durable clock, once the locks were there. */
  readonly nowMs: number
  /** Whether the worker's lease is valid: without, it is given nothing. */
  readonly leased: boolean
}

/*
 * In the order of the input, which is that of (bucket, id) everywhere. The lock is a statement of its own: only what is read
 * by a later one is what the lock protects.
 */
const statement: JsonStatement<LockedTrees> = jsonStatement(`
with input as materialized (
  select i.* from json_to_record(:input) as i(roots json, "workerId" text, "offsetMs" float8)
), locked as materialized (
  select r.id
  from input i
  cross join lateral json_to_recordset(i.roots) as w(bucket int2, id uuid)
  cross join lateral (
    select r.id from action_do.runs r where r.bucket = w.bucket and r.id = w.id for no key update
  ) r
), counted as materialized (select count(*) as locked from locked)
select
  (extract(epoch from clock_timestamp()) * 1000)::float8 + i."offsetMs" + 0 * c.locked as "nowMs",
  exists (
    select from action_do.workers w
    where ${hasLease('i."workerId"', 'i."offsetMs"')}
  ) as leased
from input i cross join counted c`)

/** Locks the roots of trees until the transaction ends: nothing in a tree changes without its root's lock. */
export async function lockTrees(
  run: StatementRunner,
  roots: readonly { bucket: number; id: string }[],
  workerId: string | null,
  offsetMs: number,
): Promise<LockedTrees> {
  const [row] = await run(statement, { roots, workerId, offsetMs })
  return row!
}
