import type { Database } from '../client.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'

export interface Heartbeat {
  readonly bucket: number
  readonly id: string
  readonly fence: number
  readonly progress: unknown
}

const statement: JsonStatement<{ id: string }> = jsonStatement(`
with found as materialized (
  select i.progress, i.fence, r.tid
  from json_to_recordset(:input) as i(bucket int2, id uuid, fence int4, progress json)
  cross join lateral (
    select r.ctid as tid from action_do.runs r
    where r.bucket = i.bucket and r.id = i.id and r.status = 'RUNNING' and r.fence = i.fence
    offset 0
  ) r
)
update action_do.runs r set heartbeat = f.progress
from found f
where r.ctid = f.tid and r.status = 'RUNNING' and r.fence = f.fence
returning r.id`)

/** Records how far running attempts have come. No event: progress is not a transition. */
export async function recordHeartbeats(db: Database, heartbeats: readonly Heartbeat[]): Promise<string[]> {
  return (await statement.run(db.hot, heartbeats)).map(({ id }) => id)
}
