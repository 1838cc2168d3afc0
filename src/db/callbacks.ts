import type { CallbackOutcome, CallbackState } from '../core/http-action/callback.ts'
import type { Database } from './client.ts'
import { type JsonStatement, jsonStatement } from './statement.ts'

/** Where a callback is. */
export interface CallbackPlace {
  readonly bucket: number
  readonly id: string
}

/** A callback that is to be offered to a service. */
export interface NewCallback extends CallbackPlace {
  readonly runId: string
  readonly attempt: number
  readonly key: string
  /** SHA-256 of the token, in hex. */
  readonly token: string
  readonly deadlineMs: number
}

/** Records that a callback is offered, before it is; answers with its deadline. The newest token of an attempt counts. */
export async function offerCallback(db: Database, callback: NewCallback): Promise<Date> {
  const { bucket, id, runId, attempt, key, token, deadlineMs } = callback
  const offset = db.clock.offsetMs
  const [row] = await db.hot<{ deadline: Date }[]>`
    insert into action_do.callbacks (bucket, id, run_id, attempt, key, token, created_at, deadline_at)
    values (${bucket}, ${id}, ${runId}, ${attempt}, ${key}, decode(${token}, 'hex'),
      now() + make_interval(secs => ${offset / 1000}::float8),
      now() + make_interval(secs => ${(offset + deadlineMs) / 1000}::float8))
    on conflict (bucket, id) do update set token = excluded.token
    returning deadline_at as deadline`
  return row!.deadline
}

/** Records that the service will finish later. */
export async function acceptCallback(db: Database, { bucket, id }: CallbackPlace): Promise<void> {
  await db.hot`
    update action_do.callbacks
    set accepted_at = now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)
    where bucket = ${bucket} and id = ${id} and accepted_at is null`
}

/** A callback as its service finds it. */
export interface StoredCallback {
  readonly runId: string
  readonly key: string
  /** SHA-256. */
  readonly token: Buffer
  readonly outcome: CallbackOutcome | null
  readonly body: unknown
}

export async function callbackById(db: Database, { bucket, id }: CallbackPlace): Promise<StoredCallback | undefined> {
  const [row] = await db.hot<StoredCallback[]>`
    select run_id as "runId", key, token, outcome, body from action_do.callbacks
    where bucket = ${bucket} and id = ${id}`
  return row
}

/** Records how it ended, once and before the deadline. False: it had ended, or it is too late. */
export async function endCallback(
  db: Database,
  { bucket, id }: CallbackPlace,
  outcome: CallbackOutcome,
  body: string,
): Promise<boolean> {
  const offset = db.clock.offsetMs / 1000
  const rows = await db.hot`
    update action_do.callbacks
    set outcome = ${outcome}, body = ${body}::text::json, ended_at = now() + make_interval(secs => ${offset}::float8)
    where bucket = ${bucket} and id = ${id} and outcome is null
      and deadline_at > now() + make_interval(secs => ${offset}::float8)
    returning id`
  return rows.length === 1
}

/** Records how far it has come. False: it had ended, or it is too late. */
export async function recordCallbackProgress(
  db: Database,
  { bucket, id }: CallbackPlace,
  progress: string,
): Promise<boolean> {
  const rows = await db.hot`
    update action_do.callbacks set progress = ${progress}::text::json
    where bucket = ${bucket} and id = ${id} and outcome is null
      and deadline_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)
    returning id`
  return rows.length === 1
}

/** The calls of one run under one key. */
export interface CallbackKey {
  readonly bucket: number
  readonly runId: string
  readonly key: string
}

/** SQL: the service has accepted the call `c`, and has not said how it ended. */
const PENDING = 'c.accepted_at is not null and c.outcome is null'

/**
 * SQL: an attempt has failed with what the service said of the call `c`. One that took it up and was lost, canceled or cut has not.
 * Times would not tell: that of an attempt's end may be a node's estimate, which may be before the callback that ended it.
 */
const SPENT = `exists (
  select from action_do.written_attempts a
  where a.bucket = c.bucket and a.run_id = c.run_id and a.number = c.taken_by and a.status = 'FAILED')`

const states: JsonStatement<CallbackState & { key: string }> = jsonStatement(`
select i.key, ended.outcome, ended.body, latest.progress, pending.until as "pendingUntil"
from json_to_recordset(:input) as i(bucket int2, "runId" uuid, key text)
left join lateral (
  select c.outcome, c.body from action_do.callbacks c
  where c.bucket = i.bucket and c.run_id = i."runId" and c.key = i.key and c.outcome is not null
    and (c.outcome = 'complete' or not ${SPENT})
  order by c.outcome, c.ended_at limit 1
) ended on true
left join lateral (
  select c.progress from action_do.callbacks c
  where c.bucket = i.bucket and c.run_id = i."runId" and c.key = i.key and c.progress is not null
  order by c.attempt desc limit 1
) latest on true
left join lateral (
  select max(c.deadline_at) as until from action_do.callbacks c
  where c.bucket = i.bucket and c.run_id = i."runId" and c.key = i.key
    and ${PENDING}
) pending on true`)

const taking: JsonStatement<{ id: string }> = jsonStatement(`
update action_do.callbacks c set taken_by = i.attempt
from json_to_record(:input) as i(bucket int2, "runId" uuid, key text, attempt int4)
where c.bucket = i.bucket and c.run_id = i."runId" and c.key = i.key and c.outcome = 'fail' and not ${SPENT}
returning c.id`)

/** Records that an attempt is about to fail with the failures that services have said of its calls. */
export async function takeFailures(db: Database, key: CallbackKey, attempt: number): Promise<void> {
  await taking.run(db.hot, { ...key, attempt })
}

const pending: JsonStatement<{ id: string }> = jsonStatement(`
select r.id from json_to_record(:input) as i(runs json, "offsetMs" float8)
cross join lateral json_to_recordset(i.runs) as r(bucket int2, id uuid)
where exists (
  select from action_do.callbacks c
  where c.bucket = r.bucket and c.run_id = r.id and ${PENDING}
    and c.deadline_at > now() + make_interval(secs => i."offsetMs" / 1000.0)
)`)

/** Those of the runs whose service has accepted a call, and has time left to say how it ended. */
export async function runsThatWait(
  db: Database,
  runs: readonly { bucket: number; id: string }[],
): Promise<Set<string>> {
  const asked = { runs: runs.map(({ bucket, id }) => ({ bucket, id })), offsetMs: db.clock.offsetMs }
  return new Set((await pending.run(db.hot, asked)).map(({ id }) => id))
}

/**
 * What is known of calls, by key. A success counts whatever call said it, for they had one key. A failure counts until an attempt
 * has failed with it: who tries again after that asks the service again.
 */
export async function callbackStates(db: Database, keys: readonly CallbackKey[]): Promise<Map<string, CallbackState>> {
  const rows = await states.run(db.hot, keys)
  return new Map(rows.map((row) => [row.key, row]))
}
