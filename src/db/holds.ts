import type { Database } from './client.ts'
import { RUN_COLUMNS, type RunRow } from './rows.ts'
import { jsonStatement } from './statement.ts'

/** SQL that writes down what a commit gives to workers: the rows of `given` (bucket, id, worker_id) that have one. */
export function hold(given: string): string {
  return `insert into action_do.holds (bucket, worker_id, buckets, runs)
  select min(r.bucket), r.worker_id, array_agg(r.bucket), array_agg(r.id)
  from ${given} r where r.worker_id is not null group by r.worker_id`
}

/** SQL for the runs that the rows `h` of holds name, and that their worker holds still. */
export const HELD = `
  cross join lateral unnest(h.buckets, h.runs) as g(bucket, id)
  cross join lateral (
    select r.* from action_do.runs r
    where r.bucket = g.bucket and r.id = g.id and r.worker_id = h.worker_id offset 0
  ) r`

const fences = jsonStatement<{ id: string; fence: number }>(`
select distinct r.id, r.fence
from json_to_record(:input) as i("workerId" text)
join action_do.holds h on h.worker_id = i."workerId" ${HELD}`)

/** The runs that the database says a worker executes, with their fences. */
export function runsHeldBy(db: Database, workerId: string): Promise<{ id: string; fence: number }[]> {
  return fences.run(db.hot, { workerId })
}

const some = jsonStatement<RunRow>(`
select ${RUN_COLUMNS} from (
  select distinct on (r.bucket, r.id) r.*
  from json_to_record(:input) as i("workerId" text)
  join action_do.holds h on h.worker_id = i."workerId" ${HELD}
  order by r.bucket, r.id limit 500
) r`)

/** Some of the runs that a worker holds, at most 500. */
export function runsOfWorker(db: Database, workerId: string): Promise<RunRow[]> {
  return some.run(db.hot, { workerId })
}

const spent = jsonStatement<{ number: string }>(`
delete from action_do.holds d
using (
  select h.bucket, h.number from json_to_record(:input) as i("workerId" text)
  join action_do.holds h on h.worker_id = i."workerId"
  where not exists (
    select from unnest(h.buckets, h.runs) as g(bucket, id)
    cross join lateral (
      select from action_do.runs r where r.bucket = g.bucket and r.id = g.id and r.worker_id = h.worker_id offset 0
    ) r
  )
) s
where d.bucket = s.bucket and d.number = s.number`)

/**
 * Forgets what a worker was given and holds no longer. A run that it is given again meanwhile has a new row: the row is written in
 * the commit that gives.
 */
export async function dropHolds(db: Database, workerId: string): Promise<void> {
  await spent.run(db.hot, { workerId })
}
