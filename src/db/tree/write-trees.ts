import type { RunError } from '../../core/failure.ts'
import type { AttemptStatus, RunStatus } from '../../core/status.ts'
import type { EventReason } from '../../core/transitions.ts'
import { batchStatement, type Columns, jsonText } from '../batch-statement.ts'
import type { EventPack } from '../event-packs.ts'
import { hold } from '../holds.ts'
import { hasLease } from '../leases.ts'
import { constraintOf, sqlStateOf } from '../pg-errors.ts'
import type { StatementRunner } from './statement-runner.ts'
import {
  moment,
  TREE_INSERT_COLUMNS,
  TREE_INSERTED,
  TREE_UPDATED,
  treeAssignments,
  treeInsertValues,
} from './tree-columns.ts'
import type { TreeRow } from './tree-row.ts'

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

/** Under what condition something is given to a worker: its lease is valid. */
interface Gift {
  readonly workerId: string
  readonly offsetMs: number
}

/** The root of a tree whose lock is not held, with the fence that it must have for anything to be written. */
interface Guard {
  readonly bucket: number
  readonly id: string
  readonly fence: number
}

/** Everything that a transaction changes in its trees. */
export interface TreeChanges {
  /** What is given of trees whose lock is not held: with the lock, the lease has been looked at. */
  readonly gift: Gift | null
  /** Of all trees, or of none, in the order of (bucket, id). */
  readonly guards: readonly Guard[]
  /** The root of a tree before its other rows; trees in the order of (bucket, id). Both are how rows are locked everywhere. */
  readonly updates: readonly TreeRow[]
  readonly inserts: readonly TreeRow[]
  readonly attempts: readonly NewAttempt[]
  readonly events: readonly EventPack[]
}

/** A row was being changed at that very moment, or a tree is not as it was known: the transaction is to be repeated. */
export class TreeConflict extends Error {
  /** SQLSTATE of a serialization failure: whoever repeats those repeats this. */
  readonly code = '40001'

  constructor(cause: unknown) {
    super('A run of the tree was being changed at that very moment', { cause })
  }
}

/** SQLSTATE of a division by zero: how the statement says that it missed a row. */
const MISSED = '22012'

/** What is violated where another event has the number that was to be given. */
const NUMBERS = 'written_events_bucket_root_id_seq_pk'

interface Writes {
  /** One of them: how many rows and roots must be there, and what they are given on. */
  readonly terms: readonly {
    readonly rows: number
    readonly roots: number
    readonly workerId: string | null
    readonly offsetMs: number | null
  }[]
  readonly guards: readonly Guard[]
  readonly updates: readonly TreeRow[]
  readonly attempts: readonly NewAttempt[]
  readonly events: readonly EventPack[]
}

/** SQL that inserts what :events gives. */
export const INSERT_EVENTS = `
  insert into action_do.written_events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, attempt, error, actor, data,
    last_seq, more)
  select e.bucket, e."rootId", e.seq, e."runId", ${moment('e.at')}, e."stepKey", e."from", e."to", e.reason, e.attempt, e.error::json,
    e.actor, e.data::json, e."lastSeq", e.more::json
  from :events(e)`

export const EVENTS: Columns<EventPack> = {
  bucket: 'int2',
  rootId: 'uuid',
  seq: 'int4',
  runId: 'uuid',
  at: 'float8',
  stepKey: 'text',
  from: 'action_do.run_status',
  to: 'action_do.run_status',
  reason: 'action_do.event_reason',
  attempt: 'int4',
  error: ['text', ({ error }) => jsonText(error)],
  actor: 'text',
  data: ['text', ({ data }) => jsonText(data)],
  lastSeq: 'int4',
  more: 'text',
}

/** SQL that inserts the runs that a batch gives. */
export function insertRuns(batch: string): string {
  return `
  insert into action_do.runs (${TREE_INSERT_COLUMNS}, fingerprint, params, result)
  select ${treeInsertValues('n')}, '', coalesce(n.params, 'null')::json, n.result::json
  from :${batch}(n)`
}

/** @param inserted SQL of one more part that inserts runs, and answers with them. */
const written = (inserted = '') => `
with terms as materialized (
  select * from :terms(t)
), guarded as materialized (
  select r.id from :guards(g)
  cross join lateral (
    select r.id from action_do.runs r where r.bucket = g.bucket and r.id = g.id and r.fence = g.fence for no key update
  ) r
), changed as (
  update action_do.runs r set
    ${treeAssignments('f')},
    params = coalesce(f.params::json, r.params),
    result = case when f."setsResult" then f.result::json else r.result end,
    heartbeat = case when f."clearsHeartbeat" then null else r.heartbeat end
  from (
    select u.*, r.tid
    from :updates(u)
    cross join lateral (
      select r.ctid as tid from action_do.runs r
      where r.bucket = u.bucket and r.id = u.id offset 0
    ) r
    where (select count(*) from guarded) = (select t.roots from terms t) and not exists (
      select from terms t where t."workerId" is not null and not exists (
        select from action_do.workers w
        where ${hasLease('t."workerId"', 't."offsetMs"')}
      )
    )
    offset 0
  ) f
  where r.ctid = f.tid
  returning r.bucket, r.id, r.worker_id
)${
  inserted &&
  `, inserted as (${inserted}
  returning bucket, id, worker_id
)`
}, held as (
  ${hold(inserted ? '(select * from changed union all select * from inserted)' : 'changed')}
), attempts_written as (
  insert into action_do.written_attempts (bucket, run_id, number, status, worker_id, started_at, finished_at, error)
  select a.bucket, a."runId", a.number, a.status, a."workerId", ${moment('a."startedAt"')}, ${moment('a."finishedAt"')}, a.error::json
  from :attempts(a)
), events_written as (${INSERT_EVENTS}
)
-- a row that was missed must take everything with it, for a commit may be on its way already
select 1 / (case when count(*) = (select t.rows from terms t) then 1 else 0 end) as changed from changed`

const columns = {
  terms: { rows: 'int4', roots: 'int4', workerId: 'text', offsetMs: 'float8' },
  guards: { bucket: 'int2', id: 'uuid', fence: 'int4' },
  updates: TREE_UPDATED,
  attempts: {
    bucket: 'int2',
    runId: 'uuid',
    number: 'int4',
    status: 'action_do.attempt_status',
    workerId: 'text',
    startedAt: 'float8',
    finishedAt: 'float8',
    error: ['text', ({ error }: NewAttempt) => jsonText(error)],
  },
  events: EVENTS,
} as const

/** Where nothing is inserted, a statement that could costs more: it looks at every index of the table before it begins. */
const write = batchStatement<Writes, { changed: number }>(written(), columns)

const writeAndInsert = batchStatement<Writes & { readonly inserts: readonly TreeRow[] }, { changed: number }>(
  written(insertRuns('inserts')),
  { ...columns, inserts: TREE_INSERTED },
)

/**
 * Writes what was decided, in one statement. The caller holds the locks of the roots, or else has them guarded. Throws
 * `TreeConflict` when nothing was written.
 */
export async function writeTrees(run: StatementRunner, { gift, inserts, ...rest }: TreeChanges): Promise<void> {
  const { workerId, offsetMs } = gift ?? { workerId: null, offsetMs: null }
  const writes = { ...rest, terms: [{ rows: rest.updates.length, roots: rest.guards.length, workerId, offsetMs }] }
  try {
    await (inserts.length > 0 ? run(writeAndInsert, { ...writes, inserts }) : run(write, writes))
  } catch (error) {
    throw conflictOr(error)
  }
}

/** What a statement that writes trees has failed with. */
export function conflictOr(error: unknown): unknown {
  const conflicts = sqlStateOf(error) === MISSED || constraintOf(error) === NUMBERS
  return conflicts ? new TreeConflict(error) : error
}
