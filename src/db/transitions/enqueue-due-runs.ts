import type { Database } from '../client.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'

/** One step's worth: more are left to the next, so that a burst of due runs does not hold everything up. */
const BATCH = 1_000

interface DueRow {
  readonly rootId: string
  readonly name: string
}

const statement: JsonStatement<DueRow> = jsonStatement(`
with input as materialized (
  select i."limit", (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now
  from json_to_record(:input) as i("limit" int4, "offsetMs" float8)
), due as materialized (
  select r.ctid as tid
  from action_do.runs r
  where r.indexed_status = 'SCHEDULED' and r.queue is null and r.available_at <= (select now from input)
  order by r.available_at
  limit (select "limit" from input)
  for no key update skip locked
), changed as (
  update action_do.runs r set status = 'QUEUED', last_seq = r.last_seq + 1
  from due d
  where r.ctid = d.tid and r.status = 'SCHEDULED'
  returning r.bucket, r.id, r.root_id, r.last_seq, r.step_key, r.name
), events_written as (
  insert into action_do.written_events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason)
  select c.bucket, c.root_id, c.last_seq, c.id, i.now, c.step_key, 'SCHEDULED', 'QUEUED', 'DUE'
  from changed c cross join input i
)
select root_id as "rootId", name from changed`)

/** Moves single actions that have become due into the ready set; trees have their own way. */
export function enqueueDueRuns(db: Database): Promise<DueRow[]> {
  return statement.run(db.hot, { limit: BATCH, offsetMs: db.clock.offsetMs })
}
