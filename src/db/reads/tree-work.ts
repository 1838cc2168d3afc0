import type { Database } from '../client.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'

/** A run of a tree that something is to be done about. */
export interface TreeWork {
  readonly id: string
  readonly rootId: string
  readonly queue: string | null
}

const queued: JsonStatement<TreeWork> = jsonStatement(`
select r.id, r.root_id as "rootId", r.queue
from json_to_record(:input) as w(total int4, queues json)
cross join lateral json_to_recordset(w.queues) as q(queue text, slots int4)
cross join lateral (
  select r.id, r.root_id, r.queue, r.priority, r.available_at from action_do.runs r
  where r.indexed_queue = q.queue and not r.paused
  order by r.priority desc, r.available_at
  limit least(q.slots, w.total)
) r
order by r.priority desc, r.available_at`)

/** Steps that may begin, the most urgent first: of each queue at most as many as there are slots. They are not locked. */
export function queuedSteps(
  db: Database,
  queues: readonly { queue: string; slots: number }[],
  total: number,
): Promise<TreeWork[]> {
  if (queues.length === 0) return Promise.resolve([])
  return queued.run(db.hot, { queues, total })
}

const due: JsonStatement<TreeWork> = jsonStatement(`
with input as materialized (
  select i."limit", (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now
  from json_to_record(:input) as i("limit" int4, "offsetMs" float8)
)
(select r.id, r.root_id as "rootId", r.queue from action_do.runs r
  where r.indexed_status = 'SCHEDULED' and r.available_at <= (select now from input) and r.queue is not null
  order by r.available_at limit (select "limit" from input))
union all
(select r.id, r.root_id, r.queue from action_do.runs r
  where r.wake_at is not null and r.wake_at <= (select now from input)
  order by r.wake_at limit (select "limit" from input))`)

/** Runs of trees whose time has come: delayed starts, backoffs, sleeps, deadlines. */
export function dueTreeWork(db: Database, limit: number): Promise<TreeWork[]> {
  return due.run(db.hot, { limit, offsetMs: db.clock.offsetMs })
}
