import { bucketOf } from '../../core/ids.ts'
import type { Database } from '../client.ts'
import { jsonStatement } from '../statement.ts'

/** A step that waits for a run under a business key. */
export interface WaitingLink {
  readonly id: string
  readonly rootId: string
  readonly linkedId: string
  readonly name: string
  readonly key: string
  /** The event of the linked run that the step has failed with before, or 0. */
  readonly known: number
  /** Null: the linked run is not there. */
  readonly status: string | null
}

/** Steps whose linked run has come to rest, or is missing because its submission was lost. */
export function settledLinks(db: Database, limit: number): Promise<WaitingLink[]> {
  return db.hot<WaitingLink[]>`
    select w.id, w.root_id as "rootId", w.linked_id as "linkedId", w.name, w.wait->>'key' as key,
      coalesce(w.next_index, 0) as known, l.status::text
    from action_do.runs w
    cross join lateral (select ('x' || right(w.linked_id::text, 3))::bit(12)::int & 1023 as bucket) b
    left join lateral (
      select l.status from action_do.runs l where l.bucket = b.bucket::int2 and l.id = w.linked_id offset 0
    ) l on true
    where w.indexed_status = 'WAITING' and w.linked_id is not null
      and (l.status is null or l.status in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED'))
    limit ${limit}`
}

const still = jsonStatement<{ id: string }>(`
select r.id from json_to_recordset(:input) as i(bucket int2, id uuid, "linkedId" uuid)
cross join lateral (
  select r.id, r.status, r.linked_id from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0
) r
where r.status = 'WAITING' and r.linked_id = i."linkedId"`)

/** Which of these steps wait for their linked run. */
export async function waitingStill(
  db: Database,
  steps: readonly { readonly rowId: string; readonly linkedId: string }[],
): Promise<Set<string>> {
  const asked = steps.map(({ rowId, linkedId }) => ({ bucket: bucketOf(rowId), id: rowId, linkedId }))
  return new Set((await still.run(db.hot, asked)).map(({ id }) => id))
}
