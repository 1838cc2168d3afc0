import type { StepSpec } from '../../core/workflow/graph.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { newStep } from './new-step.ts'
import { reset } from './revive.ts'

/** A step to plan, and which one it is of a list or a loop. */
export interface Planned {
  readonly spec: StepSpec
  readonly index: number | null
}

/**
 * Plans the runs of a workflow, a list or a loop. What was planned before, because it is done again, is set back in its place:
 * a run has one row however often it is done.
 */
export async function planSteps(
  advance: Advance,
  parent: TreeRow,
  graph: string,
  planned: readonly Planned[],
  keep: (row: TreeRow, index: number) => boolean = () => false,
): Promise<TreeRow[]> {
  const { tree } = advance
  const ids = planned.map(({ spec, index }) => tree.stepId(parent.id, spec.key, index))
  // only what has begun before can have been planned before
  if (parent.startedAt !== null) await tree.load(ids)
  return planned.map(({ spec, index }, i) => {
    const known = tree.find(ids[i]!)
    if (known) return keep(known, i) ? known : setBack(advance, known)
    const row = newStep(ids[i]!, parent, graph, spec, tree.nowMs, index)
    tree.insert(row)
    return row
  })
}

function setBack(advance: Advance, row: TreeRow): TreeRow {
  if (row.status !== 'PENDING') reset(advance, row, {})
  row.pendingCount = row.stepIndex === null ? new Set(advance.tree.specOf(row).after).size : 0
  row.liveCount = 0
  return advance.tree.touch(row)
}

/** The params that runs were given before, as JSON text, by id. */
export async function paramsBefore({ tree }: Advance, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = ids.length === 0 ? [] : await readParams(tree.run, ids)
  return new Map(rows.map(({ id, params }) => [id, JSON.stringify(params)]))
}

/**
 * A step that runs again with other params is another intent, and passes on another key downstream; with the same params it
 * passes on the same.
 */
export async function renewKey(advance: Advance, row: TreeRow, params: string): Promise<void> {
  if (row.attempt > 0) renewKeyFrom(row, (await paramsBefore(advance, [row.id])).get(row.id), params)
}

/** The same where the params of before are at hand. */
export function renewKeyFrom(row: TreeRow, before: string | undefined, params: string): void {
  if (row.attempt > 0 && before !== params) row.generation++
}
