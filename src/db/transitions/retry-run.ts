import type { RunRow } from '../rows.ts'
import { jsonStatement } from '../statement.ts'
import type { ControlSql } from './control-run.ts'

export interface RetryRun {
  readonly actor: string
  readonly reason: string | null
  /** Amended params; `undefined` keeps them. */
  readonly params: unknown
  /** Pass a new key downstream. Amended params do so by themselves. */
  readonly newKey: boolean
  readonly offsetMs: number
}

const statement = jsonStatement<{ id: string }>(`
with input as materialized (
  select i.*, (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now
  from json_to_record(:input) as i(
    bucket int2, id uuid, status action_do.run_status, amended bool, params json, generation int4, actor text, data json,
    "offsetMs" float8)
), changed as (
  update action_do.runs r set
    status = 'QUEUED', result = null, error = null, available_at = i.now, finished_at = null, probe = false,
    failures = 0, losses = 0, budget_started_at = null, generation = i.generation,
    -- the JSON value null arrives as an SQL null
    params = case when i.amended then coalesce(i.params, 'null'::json) else r.params end,
    heartbeat = case when i.amended then null else r.heartbeat end,
    last_seq = r.last_seq + 1
  from input i
  where r.bucket = (select bucket from input) and r.id = (select id from input) and r.status = i.status
  returning r.bucket, r.id, r.root_id, r.last_seq, r.step_key
), events_written as (
  insert into action_do.events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, actor, data)
  select c.bucket, c.root_id, c.last_seq, c.id, i.now, c.step_key, i.status, 'QUEUED', 'RETRY_REQUESTED', i.actor, i.data
  from changed c cross join input i
)
select id from changed`)

/** Revives a run whose row the caller has locked: attempt numbers go on, the retry budget starts afresh. */
export async function retryRun(sql: ControlSql, run: RunRow, retry: RetryRun): Promise<void> {
  const amended = retry.params !== undefined
  const generation = run.generation + (amended || retry.newKey ? 1 : 0)
  const data = {
    ...(retry.reason !== null && { reason: retry.reason }),
    ...(retry.newKey && { newKey: true }),
    ...(amended && { paramsBefore: run.params, paramsAfter: retry.params }),
  }
  await statement.run(sql, {
    bucket: run.bucket,
    id: run.id,
    status: run.status,
    amended,
    params: retry.params ?? null,
    generation,
    actor: retry.actor,
    data: Object.keys(data).length > 0 ? data : null,
    offsetMs: retry.offsetMs,
  })
}
