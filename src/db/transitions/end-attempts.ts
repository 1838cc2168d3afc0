import type { Decision } from '../../core/outcome.ts'
import { batchStatement, jsonText } from '../batch-statement.ts'
import type { Database, UserTransaction } from '../client.ts'
import { recentChange } from '../recent-changes.ts'

/** The end of one attempt, as decided. It changes the run only while `fence` is the run's own. */
export interface AttemptEnd extends Decision {
  readonly bucket: number
  readonly id: string
  readonly fence: number
}

/**
 * The end of a run's attempt, every member named: with `{ ...decision, more }` it takes 2 µs and 1,300 bytes to make, so a
 * fifteenth of both.
 */
export function endOf(
  { bucket, id, fence }: Pick<AttemptEnd, 'bucket' | 'id' | 'fence'>,
  decision: Decision,
): AttemptEnd {
  return {
    bucket,
    id,
    fence,
    to: decision.to,
    reason: decision.reason,
    attemptStatus: decision.attemptStatus,
    result: decision.result,
    error: decision.error,
    delayMs: decision.delayMs,
    failures: decision.failures,
    losses: decision.losses,
    probe: decision.probe,
  }
}

export interface EndedRow {
  readonly id: string
  readonly lastSeq: number
  readonly at: Date
}

/** When the attempts end: at a given time, or now by the durable clock. */
interface Clock {
  readonly at: Date | null
  readonly offsetMs: number
}

interface Ending {
  readonly clock: Clock[]
  readonly ends: readonly AttemptEnd[]
}

/**
 * The rows to change are found by a lateral subquery that the planner cannot flatten (offset 0), and changed by their
 * physical address: both are index or address look-ups by construction, so the plan cannot depend on statistics.
 * A plain join of the input with runs, planned while the table was empty, walked the whole primary key afterwards: 13 ms
 * for a batch of 50 among 20,000 runs, against 1.0 ms. Nor is there a condition that a partial index has: it would be read whole.
 * @param toldOnly whether each end is one that its run tells: then there is nothing else to write, nor to prepare for. */
const ending = (toldOnly: boolean) =>
  batchStatement<Ending, EndedRow>(
    `
with clock as materialized (
  select coalesce(c.at, now() + make_interval(secs => c."offsetMs" / 1000.0))::timestamptz(3) as now from :clock(c)
), changed as (
  update action_do.runs r set
    status = f."to",
    result = f.result::json,
    error = case when f."to" in ('FAILED', 'INDETERMINATE') then f.error::json end,
    available_at = case when f."to" in ('QUEUED', 'SCHEDULED')
      then f.now + make_interval(secs => coalesce(f."delayMs", 0) / 1000.0) end,
    finished_at = case when f."to" in ('SUCCEEDED', 'FAILED') then f.now end,
    failures = f.failures,
    losses = f.losses,
    probe = f.probe,
    worker_id = null,
    succeeded_by = case when f."to" = 'SUCCEEDED' then f.worker_id end,
    tells_end = f.reason = 'COMPLETED',
    last_seq = r.last_seq + 1
  from (
    select i.*, c.now, r.tid, r.attempt, r.attempt_started_at, r.worker_id
    from :ends(i)
    cross join clock c
    cross join lateral (
      select r.ctid as tid, r.attempt, r.attempt_started_at, r.worker_id
      from action_do.runs r
      where r.bucket = i.bucket and r.id = i.id and r.status = 'RUNNING' and r.fence = i.fence
      offset 0
    ) r
    offset 0
  ) f
  where r.ctid = f.tid and r.status = 'RUNNING' and r.fence = f.fence
  returning r.bucket, r.id, r.last_seq, r.available_at, r.status, r.tells_end, f.now as at, f.reason, f."attemptStatus",
    f.error, f.attempt, f.attempt_started_at, f.worker_id
), told as (
  ${recentChange(toldOnly ? 'changed' : '(select * from changed c where c.tells_end)')}
)${
      toldOnly
        ? ''
        : `, attempts_written as (
  insert into action_do.written_attempts (bucket, run_id, number, status, worker_id, started_at, finished_at, error)
  select c.bucket, c.id, c.attempt, c."attemptStatus", c.worker_id, c.attempt_started_at, c.at, c.error::json
  from changed c
  where c.status <> 'SUCCEEDED'
), events_written as (
  insert into action_do.written_events (bucket, root_id, seq, run_id, at, from_status, to_status, reason, attempt, error, data)
  select c.bucket, c.id, c.last_seq, c.id, c.at, 'RUNNING', c.status, c.reason, c.attempt, c.error::json,
    case c.status when 'SCHEDULED' then json_build_object('availableAt', c.available_at) end
  from changed c
  where not c.tells_end
)`
    }
select id, last_seq as "lastSeq", at from changed`,
    {
      clock: { at: 'timestamptz', offsetMs: 'float8' },
      ends: {
        bucket: 'int2',
        id: 'uuid',
        fence: 'int4',
        to: 'action_do.run_status',
        reason: 'action_do.event_reason',
        attemptStatus: 'action_do.attempt_status',
        result: 'text',
        error: ['text', ({ error }: AttemptEnd) => jsonText(error)],
        delayMs: 'float8',
        failures: 'int2',
        losses: 'int2',
        probe: 'bool',
      },
    },
  )

const endTold = ending(true)
const endAny = ending(false)

function statementFor(ends: readonly AttemptEnd[]) {
  return ends.every(({ reason }) => reason === 'COMPLETED') ? endTold : endAny
}

/**
 * Ends attempts: the run's new state, the attempt and the event in one commit. A run that is missing from the answer was
 * not changed: another hand holds it (a cancel, a successor), or it was being changed at that very moment.
 */
export function endAttempts(db: Database, ends: readonly AttemptEnd[]): Promise<EndedRow[]> {
  return statementFor(ends).run(db.warm, { clock: [{ at: null, offsetMs: db.clock.offsetMs }], ends })
}

/**
 * The same for one attempt, inside the handler's own transaction.
 * @param at the time to record: `now()` would be the time at which the handler's transaction began.
 */
export async function endAttemptIn(tx: UserTransaction, end: AttemptEnd, at: Date): Promise<EndedRow | undefined> {
  const [row] = await tx.execute<{ lastSeq: number }>(
    statementFor([end]).chunk({ clock: [{ at, offsetMs: 0 }], ends: [end] }),
  )
  return row && { id: end.id, lastSeq: row.lastSeq, at }
}
