import { showRunId } from '../../core/ids.ts'
import { hasEnded, isWhole } from '../../core/status.ts'
import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { LOOP_DONE } from './loop.ts'
import { newStep } from './new-step.ts'
import { KEEPS_RESULT, type Tree } from './tree.ts'

/**
 * Takes over what steps left in another run of the same graph: as it was, with everything below it, in the order in which it
 * ended there.
 * @param source the steps and what is below them, parents before their runs.
 */
export async function takeOver(advance: Advance, workflow: TreeRow, source: readonly RunRow[]): Promise<void> {
  const { tree, host } = advance
  for (const hash of new Set(source.flatMap(({ graph, parentGraph }) => [graph, parentGraph])))
    if (hash !== null) tree.addGraph(await host.compiled(hash))
  const taken = new Map<string, TreeRow>()
  for (const run of source) taken.set(run.id, place(tree, taken.get(run.parentId ?? '') ?? workflow, run))
  makeRoom(advance, workflow, source.filter(({ parentId }) => taken.has(parentId ?? '')).length)
  for (const run of source.toSorted((a, b) => a.lastSeq - b.lastSeq)) end(tree, taken.get(run.id)!, run)
  for (const row of taken.values()) if (row.parentId === workflow.id) advance.rest(row)
}

function place(tree: Tree, parent: TreeRow, run: RunRow): TreeRow {
  const { stepKey, stepIndex, parentGraph, version, effect, graph, queue, size, generation } = run
  const id = tree.stepId(parent.id, stepKey ?? '', stepIndex)
  const planned = tree.find(id)
  const spec = tree.specNamed(parentGraph, stepKey)
  const row = planned ?? newStep(id, parent, parentGraph ?? '', spec, tree.nowMs, stepIndex)
  if (!planned) tree.insert(row)
  // what it did, the other run did: undoing it is undoing that
  const linkedId = run.linkedId ?? run.id
  Object.assign(row, { version, effect, graph, queue, size, generation, linkedId, params: JSON.stringify(run.params) })
  if (row.kind === 'GROUP') row.nextIndex = spec.repeat ? LOOP_DONE : size
  // whoever does it again looks for what was planned below it
  if (isWhole(row.kind)) Object.assign(row, { startedAt: tree.nowMs, budgetStartedAt: tree.nowMs })
  return row
}

function end(tree: Tree, row: TreeRow, { id, status, resolved, error, result }: RunRow): void {
  // what goes on beside a list that had enough, or whose outcome is unknown, is the other run's alone
  if (!hasEnded(status)) return
  tree.transition(row, status, 'TAKEN_OVER', {
    error,
    ...(resolved !== null && { resolved }),
    ...(KEEPS_RESULT.has(status) && { result: JSON.stringify(result ?? null) }),
    data: { from: showRunId(id) },
  })
}
