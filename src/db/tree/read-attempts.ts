import { bucketOf } from '../../core/ids.ts'
import type { EndedAttempt } from '../../core/outcome.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'
import { moment } from './tree-columns.ts'

/** How an attempt ended that was no success, and whose it was. */
export interface ReadAttempt extends EndedAttempt {
  readonly runId: string
}

const since: JsonStatement<ReadAttempt> = jsonStatement(`
select a.* from json_to_recordset(:input) as i(bucket int2, id uuid, "sinceMs" float8)
cross join lateral (
  select a.run_id as "runId", a.status, a.error->>'code' as code from action_do.written_attempts a
  where a.bucket = i.bucket and a.run_id = i.id and a.started_at >= ${moment('i."sinceMs"')} offset 0
) a`)

/** The attempts of runs that began at a time or after it, and have ended without success. */
export function readAttemptsSince(
  run: StatementRunner,
  runs: readonly { readonly id: string; readonly sinceMs: number }[],
): Promise<ReadAttempt[]> {
  return run(
    since,
    runs.map(({ id, sinceMs }) => ({ bucket: bucketOf(id), id, sinceMs })),
  )
}
