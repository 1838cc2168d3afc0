import { parseRunId } from '../../core/ids.ts'
import { StepNotFoundError } from '../../core/request-errors.ts'
import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'
import type { Advance } from '../workflow/advance.ts'
import { resolvePath } from '../workflow/retry-tree.ts'
import { existingRun } from './execute-action.ts'

/** A step by its path, or the run itself; `undefined` where the id names no run, which the command itself refuses. */
export async function stepOf(executor: Executor, shown: string, path: string | null): Promise<RunRow | undefined> {
  const id = parseRunId(shown)
  if (id === undefined) return undefined
  const run = await existingRun(executor, id, shown)
  if (path === null) return run
  const stepId = run.kind === 'WORKFLOW' ? resolvePath(id, path) : undefined
  const step = stepId && (await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(stepId)))
  if (!step) throw new StepNotFoundError(path, await keysOf(executor, run))
  return step
}

async function keysOf({ workflows }: Executor, { graph }: RunRow): Promise<string[]> {
  return graph === null ? [] : (await workflows.graphs.compiled(graph)).graph.steps.map(({ key }) => key)
}

/** The same within the tree, under its lock. */
export async function stepNamed({ tree }: Advance, row: TreeRow, path: string | null): Promise<TreeRow> {
  if (path === null) return row
  const id = resolvePath(row.id, path)
  if (id !== undefined) await tree.load([id])
  const step = id === undefined ? undefined : tree.find(id)
  if (!step) throw new StepNotFoundError(path, row.graph === null ? [] : [...tree.graphOf(row).steps.keys()])
  return step
}
