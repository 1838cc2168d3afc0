import type { Decision } from '../../core/outcome.ts'
import { answersOf, type BatchAnswer, batchAnswer } from '../batch-answer.ts'
import { batchStatement, jsonText } from '../batch-statement.ts'
import type { Database, UserTransaction } from '../client.ts'
import { recentChange } from '../recent-changes.ts'
import type { RunRow } from '../rows.ts'

/** The end of one attempt, as decided. It changes the run only while `fence` is the run's own. */
export interface AttemptEnd extends Decision {
  readonly bucket: number
  readonly id: string
  readonly fence: number
  /** The number that its event is expected to have. Another is told in the answer. */
  readonly expectedSeq: number
}

/**
 * The end of a run's attempt, every member named: with `{ ...decision, more }` it takes 2 µs and 1,300 bytes to make, so a
 * fifteenth of both.
 */
export function endOf(
  { bucket, id, fence, lastSeq }: Pick<RunRow, 'bucket' | 'id' | 'fence' | 'lastSeq'>,
  decision: Decision,
): AttemptEnd {
  return {
    bucket,
    id,
    fence,
    expectedSeq: lastSeq + 1,
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
  /** How many attempts end. */
  readonly asked: number
}

interface Ending {
  readonly clock: Clock[]
  readonly ends: readonly AttemptEnd[]
}

const CLOCK = `
  select coalesce(c.at, now() + make_interval(secs => c."offsetMs" / 1000.0))::timestamptz(3) as now, c.asked from :clock(c)`

const CLOCK_COLUMNS = { at: 'timestamptz', offsetMs: 'float8', asked: 'int4' } as const

/**
 * The rows to change are found by a lateral subquery that the planner cannot flatten (offset 0), and changed by their
 * physical address: both are index or address look-ups by construction, so the plan cannot depend on statistics.
 * A plain join of the input with runs, planned while the table was empty, walked the whole primary key afterwards: 13 ms
 * for a batch of 50 among 20,000 runs, against 1.0 ms. Nor is there a condition that a partial index has: it would be read whole.
 */
const FOUND = `(
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
  where r.ctid = f.tid and r.status = 'RUNNING' and r.fence = f.fence`

/** Which attempt, and what it left. */
const OF_EVERY_END = { bucket: 'int2', id: 'uuid', fence: 'int4', expectedSeq: 'int4', result: 'text' } as const

const ANSWER = batchAnswer({
  changed: 'changed',
  odd: 'c.last_seq <> c."expectedSeq"',
  column: 'last_seq',
  member: 'lastSeq',
})

type Answer = BatchAnswer<Pick<EndedRow, 'lastSeq'>>

/** Where each end is one that its run tells: that a handler has returned. There is nothing else to write, nor to send or to prepare for. */
const endTold = batchStatement<Ending, Answer>(
  `
with clock as materialized (${CLOCK}
), changed as (
  update action_do.runs r set
    status = 'SUCCEEDED',
    result = f.result::json,
    error = null,
    available_at = null,
    finished_at = f.now,
    failures = coalesce(f.failures, 0::int2),
    losses = coalesce(f.losses, 0::int2),
    probe = coalesce(f.probe, false),
    worker_id = null,
    succeeded_by = f.worker_id,
    tells_end = true,
    last_seq = r.last_seq + 1
  from ${FOUND}
  returning r.id, r.last_seq, f.now as at, f."expectedSeq"
), told as (
  ${recentChange('changed')}
)
${ANSWER}`,
  {
    clock: CLOCK_COLUMNS,
    ends: {
      ...OF_EVERY_END,
      failures: ['int2', ({ failures }: AttemptEnd) => failures || null],
      losses: ['int2', ({ losses }: AttemptEnd) => losses || null],
      probe: ['bool', ({ probe }: AttemptEnd) => probe || null],
    },
  },
)

const endAny = batchStatement<Ending, Answer>(
  `
with clock as materialized (${CLOCK}
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
  from ${FOUND}
  returning r.bucket, r.id, r.last_seq, r.available_at, r.status, r.tells_end, f.now as at, f."expectedSeq", f.reason, f."attemptStatus",
    f.error, f.attempt, f.attempt_started_at, f.worker_id
), told as (
  ${recentChange('(select * from changed c where c.tells_end)')}
), attempts_written as (
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
)
${ANSWER}`,
  {
    clock: CLOCK_COLUMNS,
    ends: {
      ...OF_EVERY_END,
      to: 'action_do.run_status',
      reason: 'action_do.event_reason',
      attemptStatus: 'action_do.attempt_status',
      error: ['text', ({ error }: AttemptEnd) => jsonText(error)],
      delayMs: 'float8',
      failures: 'int2',
      losses: 'int2',
      probe: 'bool',
    },
  },
)

function statementFor(ends: readonly AttemptEnd[]) {
  return ends.every(({ reason }) => reason === 'COMPLETED') ? endTold : endAny
}

/**
 * Ends attempts: the run's new state, the attempt and the event in one commit. A run that is `undefined` in the answer was
 * not changed: another hand holds it (a cancel, a successor), or it was being changed at that very moment.
 * @returns in the order of the ends.
 */
export async function endAttempts(db: Database, ends: readonly AttemptEnd[]): Promise<(EndedRow | undefined)[]> {
  const clock = [{ at: null, offsetMs: db.clock.offsetMs, asked: ends.length }]
  const [answer] = await statementFor(ends).run(db.warm, { clock, ends })
  return endedRows(ends, answer!)
}

function endedRows(ends: readonly AttemptEnd[], answer: Answer) {
  return answersOf(ends, answer, asExpected, ({ lastSeq }, { id }, at): EndedRow => ({ id, lastSeq, at }))
}

const asExpected = ({ expectedSeq }: AttemptEnd) => ({ lastSeq: expectedSeq })

/**
 * The same for one attempt, inside the handler's own transaction.
 * @param at the time to record: `now()` would be the time at which the handler's transaction began.
 */
export async function endAttemptIn(tx: UserTransaction, end: AttemptEnd, at: Date): Promise<EndedRow | undefined> {
  const [answer] = await tx.execute<Answer & Record<string, unknown>>(
    statementFor([end]).chunk({ clock: [{ at, offsetMs: 0, asked: 1 }], ends: [end] }),
  )
  const [row] = endedRows([end], answer!)
  return row && { ...row, at }
}
