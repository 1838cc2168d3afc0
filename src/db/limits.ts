import { createHash } from 'node:crypto'
import { BUCKETS, bucketOf } from '../core/ids.ts'
import type { Database } from './client.ts'
import { type JsonStatement, jsonStatement } from './statement.ts'
import { inTransaction } from './transaction.ts'

/** A run that wants, has, or gives back a turn. */
export interface Turn {
  readonly key: string
  readonly runId: string
  readonly rootId: string
}

/** The bucket of a limit: of its key, for runs of many buckets share it. */
function bucketOfKey(key: string): number {
  return createHash('sha256').update(key).digest().readUInt16BE(0) % BUCKETS
}

const lock: JsonStatement<{ key: string }> = jsonStatement(`
insert into action_do.limits (bucket, key) select i.bucket, i.key from json_to_record(:input) as i(bucket int2, key text)
on conflict (bucket, key) do update set key = excluded.key
returning key`)

const enter: JsonStatement<Turn & { granted: boolean }> = jsonStatement(`
insert into action_do.limit_holders (bucket, key, run_id, root_id, max, granted, at)
select i.bucket, i.key, i."runId", i."rootId", i.max, false, clock_timestamp()
from json_to_record(:input) as i(bucket int2, key text, "runId" uuid, "rootId" uuid, max int4)
on conflict (bucket, key, run_id) do update set root_id = excluded.root_id
returning key, run_id as "runId", root_id as "rootId", granted`)

/**
 * SQL: whether the run `r` needs its turn under a key no more. A step that is being undone after it had ended has given its turn
 * back; a workflow that undoes what it did before it ends has it still.
 */
const isOver = (key: string) => `(r.limit_key is distinct from ${key}
  or r.status in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED', 'PENDING')
  or r.status = 'COMPENSATING' and r.ended_seq is not null)`

/*
 * Who gives a turn back learned some time ago that it is over. The run may have been retried since, and go on with the very turn:
 * so it is asked anew, under the lock that every request takes too.
 */
const leave: JsonStatement<{ key: string }> = jsonStatement(`
delete from action_do.limit_holders h
using (
  select i.bucket, i.key, i."runId" from json_to_record(:input) as i(bucket int2, key text, "runId" uuid, "runBucket" int2)
  left join lateral (
    select r.limit_key, r.status, r.ended_seq from action_do.runs r where r.bucket = i."runBucket" and r.id = i."runId" offset 0
  ) r on true
  where ${isOver('i.key')}
) o
where h.bucket = o.bucket and h.key = o.key and h.run_id = o."runId"
returning h.key`)

/*
 * Those who wait are asked in the order in which they came. One is let in while fewer have a turn than it allows itself;
 * whoever comes later does not pass it.
 */
const grant: JsonStatement<Turn> = jsonStatement(`
with input as materialized (
  select i.* from json_to_record(:input) as i(bucket int2, key text)
), holding as materialized (
  select count(*) as turns from action_do.limit_holders h
  where h.bucket = (select bucket from input) and h.key = (select key from input) and h.granted
), line as materialized (
  select h.run_id, h.max, row_number() over (order by h.at, h.run_id) as place
  from action_do.limit_holders h
  where h.bucket = (select bucket from input) and h.key = (select key from input) and not h.granted
), blocked as materialized (
  select min(l.place) as place from line l cross join holding h where h.turns + l.place > l.max
)
update action_do.limit_holders h set granted = true
from line l cross join blocked b
where h.bucket = (select bucket from input) and h.key = (select key from input) and h.run_id = l.run_id
  and (b.place is null or l.place < b.place)
returning h.key, h.run_id as "runId", h.root_id as "rootId"`)

/** Puts a run in line for a turn, once. Answers with whose turn it is from now on; its own too, if it has it still. */
export function requestTurn(db: Database, turn: Turn & { readonly max: number }): Promise<Turn[]> {
  return takeTurns(db, turn.key, async ({ tx, bucket }) => {
    const entered = await enter.run(tx, { ...turn, bucket })
    return entered.filter(({ granted }) => granted)
  })
}

/**
 * Gives a turn back, or a place in the line, unless the run has been retried since and wants it again. Answers with whose turn it is
 * from now on.
 */
export function releaseTurn(db: Database, { key, runId }: Turn): Promise<Turn[]> {
  return takeTurns(db, key, async ({ tx, bucket }) => {
    await leave.run(tx, { bucket, key, runId, runBucket: bucketOf(runId) })
    return []
  })
}

interface Within {
  readonly tx: Parameters<typeof lock.run>[0]
  readonly bucket: number
}

/** @param change answers with whose turn it is already. */
function takeTurns(db: Database, key: string, change: (within: Within) => Promise<Turn[]>): Promise<Turn[]> {
  const bucket = bucketOfKey(key)
  return inTransaction(db.hot, async (tx) => {
    await lock.run(tx, { bucket, key })
    const before = await change({ tx, bucket })
    return [...before, ...(await grant.run(tx, { bucket, key }))]
  })
}

/** Turns whose run is over, or has been told that it is its turn and does not know: what a crash between two commits leaves. */
export async function strayTurns(db: Database): Promise<{ over: Turn[]; untold: Turn[] }> {
  const over = db.hot.unsafe(isOver('h.key'))
  const rows = await db.hot<(Turn & { over: boolean })[]>`
    select h.key, h.run_id as "runId", h.root_id as "rootId", ${over} as over
    from action_do.limit_holders h
    left join action_do.runs r on r.bucket = (('x' || right(h.run_id::text, 3))::bit(12)::int & 1023)::int2 and r.id = h.run_id
    where ${over} or (h.granted and r.status = 'WAITING')
    limit 500`
  return { over: rows.filter(({ over }) => over), untold: rows.filter(({ over }) => !over) }
}

/** Steps that wait for a turn and stand in no line. */
export function unlistedTurns(db: Database): Promise<(Turn & { max: number })[]> {
  return db.hot<(Turn & { max: number })[]>`
    select r.limit_key as key, r.id as "runId", r.root_id as "rootId", (r.wait->>'max')::int as max
    from action_do.runs r
    where r.limit_key is not null and r.indexed_status = 'WAITING'
      and not exists (select from action_do.limit_holders h where h.key = r.limit_key and h.run_id = r.id)
    limit 500`
}
