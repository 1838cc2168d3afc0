import { groupBy } from '../../core/group-by.ts'
import { bucketOf } from '../../core/ids.ts'
import type { Database } from '../client.ts'
import { ATTEMPT_COLUMNS, type AttemptRow } from '../rows.ts'
import { jsonStatement } from '../statement.ts'

const ofRuns = jsonStatement<AttemptRow>(`
select ${ATTEMPT_COLUMNS} from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (
  select * from action_do.attempts a where a.bucket = i.bucket and a.run_id = i.id order by a.number
) a`)

/** The ended attempts of each run, oldest first. One statement. */
export async function attemptsOf(db: Database, runIds: readonly string[]): Promise<AttemptRow[][]> {
  const rows = await ofRuns.run(
    db.reads,
    [...new Set(runIds)].map((id) => ({ bucket: bucketOf(id), id })),
  )
  const byRun = groupBy(rows, (row) => row.runId)
  return runIds.map((id) => byRun.get(id) ?? [])
}
