import { bucketOf } from '../../core/ids.ts'
import type { Database } from '../client.ts'
import { RUN_COLUMNS, type RunRow } from '../rows.ts'
import { jsonStatement } from '../statement.ts'

const byIds = jsonStatement<RunRow>(`
select r.* from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (
  select ${RUN_COLUMNS} from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0
) r`)

/** Runs by id, in the order asked for; `undefined` for those that do not exist. One statement. */
export async function runsByIds(db: Database, ids: readonly string[]): Promise<(RunRow | undefined)[]> {
  const rows = await byIds.run(
    db.hot,
    [...new Set(ids)].map((id) => ({ bucket: bucketOf(id), id })),
  )
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id))
}

export async function runById(db: Database, id: string): Promise<RunRow | undefined> {
  return (await runsByIds(db, [id]))[0]
}

const waiting = jsonStatement<{ name: string; queued: number }>(`
select n.name, count(r.name)::int as queued
from json_to_recordset(:input) as n(name text, cap int4)
cross join lateral (
  select r.name from action_do.runs r where r.name = n.name and r.indexed_status = 'QUEUED' and r.kind = 'ACTION' and r.parent_id is null and not r.paused limit n.cap
) r
group by n.name`)

/** How many runs of each name are QUEUED, counted up to `cap`. */
export async function queueDepths(db: Database, names: readonly string[], cap: number): Promise<Map<string, number>> {
  const rows = await waiting.run(
    db.hot,
    names.map((name) => ({ name, cap })),
  )
  return new Map(rows.map(({ name, queued }) => [name, queued]))
}
