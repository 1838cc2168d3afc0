import type { RunError } from '../../core/failure.ts'
import type { AttemptStatus, RunStatus } from '../../core/status.ts'
import type { EventReason } from '../../core/transitions.ts'
import { sqlStateOf } from '../pg-errors.ts'
import { jsonStatementOf } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'
import {
  TREE_INSERT_COLUMNS,
  TREE_INSERT_RECORD,
  TREE_UPDATE_RECORD,
  type TreeRow,
  treeAssignments,
  treeInsert,
  treeInsertValues,
  treeUpdate,
} from './tree-row.ts'

export interface NewEvent {
  readonly bucket: number
  readonly rootId: string
  readonly seq: number
  readonly runId: string
  readonly at: number
  readonly stepKey: string | null
  readonly from: RunStatus | null
  readonly to: RunStatus
  readonly reason: EventReason
  readonly attempt: number | null
  readonly error: RunError | null
  readonly actor: string | null
  readonly data: unknown
}

export interface NewAttempt {
  readonly bucket: number
  readonly runId: string
  readonly number: number
  readonly status: Exclude<AttemptStatus, 'RUNNING'>
  readonly workerId: string
  readonly startedAt: number
  readonly finishedAt: number
  readonly error: RunError | null
}

/** Everything that a transaction changes in its trees. */
export interface TreeChanges {
  readonly updates: readonly TreeRow[]
  readonly inserts: readonly TreeRow[]
  readonly attempts: readonly NewAttempt[]
  readonly events: readonly NewEvent[]
}

/** A row was being changed by a heartbeat at that very moment: the transaction is to be repeated. */
class TreeConflict extends Error {
  /** SQLSTATE of a serialization failure: whoever repeats those repeats this. */
  readonly code = '40001'

  constructor(cause: unknown) {
    super('A run of the tree was being changed at that very moment', { cause })
  }
}

/** SQLSTATE of a division by zero: how the statement says that it missed a row. */
const MISSED = '22012'

const moment = (ms: string) => `to_timestamp(${ms} / 1000.0)::timestamptz(3)`

interface Writes {
  readonly updates: readonly object[]
  readonly inserts: readonly object[]
  readonly attempts: readonly NewAttempt[]
  readonly events: readonly NewEvent[]
  /** How many rows are to be updated. */
  readonly expected: number
}

const statement = jsonStatementOf<Writes, { changed: number }>(
  `
with found as materialized (
  select u.*, r.tid
  from json_to_recordset(:updates) as u(${TREE_UPDATE_RECORD})
  cross join lateral (
    select r.ctid as tid from action_do.runs r where r.bucket = u.bucket and r.id = u.id offset 0
  ) r
), changed as (
  update action_do.runs r set
    ${treeAssignments('f')},
    params = coalesce(f.params::json, r.params),
    result = case when coalesce(f."setsResult", false) then f.result::json else r.result end,
    heartbeat = case when coalesce(f."clearsHeartbeat", false) then null else r.heartbeat end
  from found f
  where r.ctid = f.tid
  returning r.bucket, r.id, r.worker_id
), inserted as (
  insert into action_do.runs (${TREE_INSERT_COLUMNS}, fingerprint, params, result)
  select ${treeInsertValues('n')}, '', coalesce(n.params, 'null')::json, n.result::json
  from json_to_recordset(:inserts) as n(${TREE_INSERT_RECORD})
  returning bucket, id, worker_id
), held as (
  insert into action_do.holds (bucket, worker_id, buckets, runs)
  select min(r.bucket), r.worker_id, array_agg(r.bucket), array_agg(r.id)
  from (select * from changed union all select * from inserted) r
  where r.worker_id is not null
  group by r.worker_id
), attempts_written as (
  insert into action_do.attempts (bucket, run_id, number, status, worker_id, started_at, finished_at, error)
  select a.bucket, a."runId", a.number, a.status, a."workerId", ${moment('a."startedAt"')}, ${moment('a."finishedAt"')}, a.error
  from json_to_recordset(:attempts) as a(
    bucket int2, "runId" uuid, number int4, status action_do.attempt_status, "workerId" text, "startedAt" float8,
    "finishedAt" float8, error json)
), events_written as (
  insert into action_do.events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, attempt, error, actor, data)
  select e.bucket, e."rootId", e.seq, e."runId", ${moment('e.at')}, e."stepKey", e."from", e."to", e.reason, e.attempt, e.error,
    e.actor, e.data
  from json_to_recordset(:events) as e(
    bucket int2, "rootId" uuid, seq int4, "runId" uuid, at float8, "stepKey" text, "from" action_do.run_status,
    "to" action_do.run_status, reason action_do.event_reason, attempt int4, error json, actor text, data json)
)
-- a row that was missed must take the transaction with it, for its commit may be on its way already
select 1 / (case when count(*) = (select count(*) from found) and count(*) = (:expected)::text::int4 then 1 else 0 end) as changed
from changed`,
  ['updates', 'inserts', 'attempts', 'events', 'expected'],
)

/** Writes what was decided, in one statement. The caller holds the locks of the roots. */
export async function writeTrees(run: StatementRunner, changes: TreeChanges): Promise<void> {
  const updates = changes.updates.map(treeUpdate)
  const inserts = changes.inserts.map(treeInsert)
  try {
    const writes: Writes = { ...changes, updates, inserts, expected: updates.length }
    await run(statement, writes)
  } catch (error) {
    throw sqlStateOf(error) === MISSED ? new TreeConflict(error) : error
  }
}
