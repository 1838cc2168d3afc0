import type { Effect } from '../../core/effect.ts'
import type { RunKind, RunStatus } from '../../core/status.ts'
import { answersOf, type BatchAnswer, batchAnswer } from '../batch-answer.ts'
import { batchStatement } from '../batch-statement.ts'
import type { Database } from '../client.ts'
import { hold } from '../holds.ts'
import { recentChange } from '../recent-changes.ts'

/** A run to insert. RUNNING where the worker that submits it has room to execute it at once. */
export interface NewRun {
  readonly bucket: number
  readonly id: string
  readonly kind: Extract<RunKind, 'ACTION'>
  readonly name: string
  readonly version: string
  readonly effect: Effect
  readonly idempotencyKey: string | null
  /** Hexadecimal. */
  readonly fingerprint: string
  readonly params: unknown
  readonly status: Extract<RunStatus, 'QUEUED' | 'SCHEDULED' | 'RUNNING'>
  readonly priority: number
  readonly workerId: string | null
  /** For SCHEDULED: when it is due. */
  readonly runAt: Date | null
  readonly actor: string | null
}

export interface SubmittedRow {
  /** QUEUED instead of RUNNING where the worker has no lease any more. */
  readonly status: NewRun['status']
  /** The commit's time on the durable clock. */
  readonly at: Date
}

interface Submitted {
  readonly clock: { offsetMs: number; asked: number }[]
  readonly runs: readonly NewRun[]
}

/**
 * What most runs are is sent as null: a column of nothing else costs next to nothing.
 * @param delays whether some are SCHEDULED: their first event says for when, and is a row. That of the others is told by their runs.
 */
const submitting = (delays: boolean) =>
  batchStatement<Submitted, BatchAnswer<Pick<SubmittedRow, 'status'>>>(
    `
with clock as materialized (
  select now() + make_interval(secs => c."offsetMs" / 1000.0) as now, c.asked from :clock(c)
), input as materialized (
  -- a process that wakes after its lease has expired is given nothing: its run queues
  select i.*, case when i."otherWish" is null and i."workerId" not in (
      select w.id from action_do.workers w where w.lease_expires_at > (select c.now from clock c)
    ) then 'QUEUED' else coalesce(i."otherWish", 'RUNNING') end as status
  from :runs(i)
), inserted as (
  insert into action_do.runs (
    bucket, id, kind, name, version, effect, root_id, idempotency_key, fingerprint, params, status, priority, generation,
    attempt, failures, losses, probe, fence, worker_id, available_at, last_seq, created_at, started_at,
    attempt_started_at, budget_started_at, opening, submitted_by)
  select i.bucket, i.id, 'ACTION', i.name, i.version, coalesce(i."otherEffect", 'idempotent'), i.id, i."idempotencyKey", decode(i.fingerprint, 'hex'),
    i.params::json, i.status, coalesce(i.priority, 0::int2), 1, started.attempt, 0, 0, false, started.attempt, started.worker_id,
    case i.status when 'SCHEDULED' then i."runAt" when 'QUEUED' then c.now end, 1, c.now, started.at, started.at, started.at,
    case i.status when 'RUNNING' then 'STARTED' when 'QUEUED' then 'SUBMITTED' end::action_do.event_reason, i.actor
  from input i
  cross join clock c
  cross join lateral (
    select case i.status when 'RUNNING' then 1 else 0 end as attempt, case i.status when 'RUNNING' then c.now end as at,
      case i.status when 'RUNNING' then i."workerId" end as worker_id
  ) started
  on conflict (bucket, id) do nothing
  returning bucket, id, status, available_at, created_at as at, worker_id, last_seq, submitted_by, opening
), held as (
  ${hold('inserted')}
), told as (
  ${recentChange('(select * from inserted r where r.opening is not null)')}
)${
      delays
        ? `, events_written as (
  insert into action_do.written_events (bucket, root_id, seq, run_id, at, to_status, reason, actor, data)
  select r.bucket, r.id, 1, r.id, r.at, r.status, 'DELAYED', r.submitted_by, json_build_object('availableAt', r.available_at)
  from inserted r where r.opening is null
)`
        : ''
    }
${batchAnswer({
  changed: 'inserted',
  odd: `(select bool_or(i.status <> coalesce(i."otherWish", 'RUNNING')) from input i)`,
  column: 'status',
  member: 'status',
})}`,
    {
      clock: { offsetMs: 'float8', asked: 'int4' },
      runs: {
        bucket: 'int2',
        id: 'uuid',
        name: 'text',
        version: 'text',
        otherEffect: ['action_do.effect', ({ effect }: NewRun) => (effect === 'idempotent' ? null : effect)],
        idempotencyKey: 'text',
        fingerprint: 'text',
        params: ['text', ({ params }: NewRun) => JSON.stringify(params)],
        otherWish: ['action_do.run_status', ({ status }: NewRun) => (status === 'RUNNING' ? null : status)],
        priority: ['int2', ({ priority }: NewRun) => priority || null],
        workerId: 'text',
        runAt: 'timestamptz',
        actor: 'text',
      },
    },
  )

const submitNow = submitting(false)
const submitWithDelays = submitting(true)

/**
 * Inserts runs with their first events. A run that exists is left alone and is `undefined` in the answer: its primary key is
 * its idempotency. The caller waits behind an insert of the same id that is not yet committed.
 * @returns in the order of the runs.
 */
export async function submitRuns(db: Database, runs: readonly NewRun[]): Promise<(SubmittedRow | undefined)[]> {
  const statement = runs.some(({ status }) => status === 'SCHEDULED') ? submitWithDelays : submitNow
  const clock = [{ offsetMs: db.clock.offsetMs, asked: runs.length }]
  const [answer] = await statement.run(db.warm, { clock, runs })
  return answersOf(runs, answer!, asWished, ({ status }, _, at) => ({ status, at }))
}

const asWished = ({ status }: NewRun) => ({ status })
