import type { RunError } from '../../core/failure.ts'
import { bucketOf } from '../../core/ids.ts'
import type { RunKind, RunStatus } from '../../core/status.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'
import { TREE_COLUMNS } from './tree-columns.ts'
import { type Resolution, shaped, type TreeRow } from './tree-row.ts'

const keyed = (ids: readonly string[]) => ids.map((id) => ({ bucket: bucketOf(id), id }))

const byIds: JsonStatement<TreeRow> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (
  select ${TREE_COLUMNS} from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0
) r`)

export async function readTreeRows(run: StatementRunner, ids: readonly string[]): Promise<TreeRow[]> {
  return (await run(byIds, keyed(ids))).map(shaped)
}

const childrenOf: JsonStatement<TreeRow> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(id uuid, status json)
cross join lateral (
  select ${TREE_COLUMNS} from action_do.runs r
  where r.parent_id = i.id and r.status in (select s.value::action_do.run_status from json_array_elements_text(i.status) as s(value))
  order by r.ended_seq, r.id offset 0
) r`)

/** The children of runs that are in one of these states; those that ended, in the order in which they did. */
export async function readChildren(
  run: StatementRunner,
  parentIds: readonly string[],
  status: readonly RunStatus[],
): Promise<TreeRow[]> {
  const rows = await run(
    childrenOf,
    parentIds.map((id) => ({ id, status })),
  )
  return rows.map(shaped)
}

/** What a step left, for the mappers of those after it. */
export interface OutcomeRow {
  readonly kind: RunKind
  readonly status: RunStatus
  readonly resolved: Resolution | null
  readonly result: unknown
  readonly error: RunError | null
}

/** The same with what tells whose it is. */
export interface ReadOutcome extends OutcomeRow {
  readonly id: string
  readonly stepIndex: number | null
}

const OUTCOME = `r.id, r.kind, r.status, r.resolved, r.result, r.error, r.step_index as "stepIndex"`

const outcomes: JsonStatement<ReadOutcome> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (
  select ${OUTCOME} from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0
) r`)

export function readOutcomes(run: StatementRunner, ids: readonly string[]): Promise<ReadOutcome[]> {
  return run(outcomes, keyed(ids))
}

const iterations: JsonStatement<ReadOutcome> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(id uuid)
cross join lateral (
  select ${OUTCOME} from action_do.runs r where r.parent_id = i.id and r.undoes is null order by r.step_index offset 0
) r`)

/** The outcomes of all runs of groups, in the order of their index. */
export function readIterations(run: StatementRunner, groupIds: readonly string[]): Promise<ReadOutcome[]> {
  return run(
    iterations,
    groupIds.map((id) => ({ id })),
  )
}

export const UNDOABLE_AT_ONCE = 100

const undoable: JsonStatement<TreeRow> = jsonStatement(`
select ${TREE_COLUMNS} from json_to_record(:input) as i(id uuid, below int4)
cross join lateral (
  select r.* from action_do.runs r
  where r.parent_id = i.id and r.undoes is null and r.ended_seq < i.below
    and (r.status = 'SUCCEEDED' or (r.status in ('FAILED', 'CANCELED') and r.kind in ('WORKFLOW', 'GROUP')))
  order by r.ended_seq desc limit ${UNDOABLE_AT_ONCE}
) r
order by r.ended_seq desc`)

/** Children that have succeeded, and those that may have parts that did, the last ended first: of those completed before an event's number, at most `UNDOABLE_AT_ONCE`. */
export async function readUndoable(run: StatementRunner, parentId: string, below: number): Promise<TreeRow[]> {
  return (await run(undoable, { id: parentId, below })).map(shaped)
}

const contents: JsonStatement<{ id: string; params: unknown; result: unknown }> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (
  select r.id, r.params, r.result from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0
) r`)

/** What runs were given, and what they gave. */
export function readContents(
  run: StatementRunner,
  ids: readonly string[],
): Promise<{ id: string; params: unknown; result: unknown }[]> {
  return run(contents, keyed(ids))
}

const params: JsonStatement<{ id: string; params: unknown }> = jsonStatement(`
select r.* from json_to_recordset(:input) as i(bucket int2, id uuid)
cross join lateral (select r.id, r.params from action_do.runs r where r.bucket = i.bucket and r.id = i.id offset 0) r`)

export function readParams(run: StatementRunner, ids: readonly string[]): Promise<{ id: string; params: unknown }[]> {
  return run(params, keyed(ids))
}
