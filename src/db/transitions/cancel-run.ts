import type { RunError } from '../../core/failure.ts'
import type { RunRow } from '../rows.ts'
import { jsonStatement } from '../statement.ts'
import type { ControlSql } from './control-run.ts'

export interface CancelRun {
  readonly error: RunError
  readonly actor: string
  readonly reason: string | null
  readonly offsetMs: number
}

const statement = jsonStatement<{ id: string }>(`
with input as materialized (
  select i.*, (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now
  from json_to_record(:input) as i(
    bucket int2, id uuid, status action_do.run_status, fence int4, "workerId" text, "attemptStartedAt" timestamptz, error json,
    actor text, data json, "offsetMs" float8)
), changed as (
  update action_do.runs r set
    status = 'CANCELED', error = i.error, worker_id = null, available_at = null, probe = false, finished_at = i.now,
    fence = r.fence + 1, last_seq = r.last_seq + 1
  from input i
  where r.bucket = (select bucket from input) and r.id = (select id from input) and r.status = i.status and r.fence = i.fence
  returning r.bucket, r.id, r.root_id, r.last_seq, r.step_key, r.attempt
), attempts_written as (
  insert into action_do.attempts (bucket, run_id, number, status, worker_id, started_at, finished_at, error)
  select c.bucket, c.id, c.attempt, 'CANCELED', i."workerId", i."attemptStartedAt", i.now, i.error
  from changed c cross join input i where i.status = 'RUNNING'
), events_written as (
  insert into action_do.events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, attempt, error, actor, data)
  select c.bucket, c.root_id, c.last_seq, c.id, i.now, c.step_key, i.status, 'CANCELED', 'CANCEL_REQUESTED',
    case i.status when 'RUNNING' then c.attempt end, i.error, i.actor, i.data
  from changed c cross join input i
)
select id from changed`)

/** Ends a run whose row the caller has locked. The raised fence shuts out the handler that may still be running. */
export async function cancelRun(
  sql: ControlSql,
  run: RunRow,
  { error, actor, reason, offsetMs }: CancelRun,
): Promise<void> {
  const { bucket, id, status, fence, workerId, attemptStartedAt } = run
  const data = reason === null ? null : { reason }
  await statement.run(sql, { bucket, id, status, fence, workerId, attemptStartedAt, error, actor, data, offsetMs })
}
