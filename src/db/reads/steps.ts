import { groupBy } from '../../core/group-by.ts'
import type { Database } from '../client.ts'
import { RUN_COLUMNS, type RunRow } from '../rows.ts'
import { jsonStatement } from '../statement.ts'

const ofParents = jsonStatement<RunRow>(`
select r.* from json_to_recordset(:input) as i(id uuid)
cross join lateral (
  select ${RUN_COLUMNS} from action_do.runs r where r.parent_id = i.id and r.undoes is null
  order by r.step_key, r.step_index offset 0
) r`)

/** The steps of each run: of a workflow those of its graph, of a list or a loop its iterations. One statement. */
export async function stepsOf(db: Database, parentIds: readonly string[]): Promise<RunRow[][]> {
  const rows = await ofParents.run(
    db.reads,
    [...new Set(parentIds)].map((id) => ({ id })),
  )
  const byParent = groupBy(rows, (row) => row.parentId)
  return parentIds.map((id) => byParent.get(id) ?? [])
}
