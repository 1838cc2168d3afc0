import { ENDED_STATUSES } from '../../core/status.ts'
import type { Enough } from '../../core/workflow/graph.ts'
import type { StepLogic } from '../../core/workflow/logic.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { cancelStep } from './cancel-tree.ts'
import { queueStep, refuseStep } from './enter-step.ts'
import { LogicError } from './logic-error.ts'
import { iterationOf } from './outcomes.ts'
import { graphQueue } from './queues.ts'

/**
 * Asks whether a list that need not wait for all of its runs has enough. Then those that depend on it go on: at once, where
 * the rest is canceled; where it finishes, the list goes on as well, and nobody waits for it but the end of the workflow.
 */
export async function askEnough(advance: Advance, group: TreeRow): Promise<void> {
  const { tree, host } = advance
  const { each } = tree.specOf(group)
  if (!each?.enough) return
  const compiled = tree.graphOfStep(group)
  const logic = host.logic(compiled)?.steps.get(group.stepKey ?? '')
  if (!logic) return queueStep(advance, group, graphQueue(compiled))
  try {
    if (!(await hasEnough(advance, group, each.enough, logic))) return
  } catch (thrown) {
    return refuseList(advance, group, thrown)
  }
  if (each.enough.rest === 'cancel') return completeList(advance, group, { enough: true })
  group.resolved = 'live'
  group.waitName = null
  tree.touch(group)
  advance.rest(group)
}

async function hasEnough(advance: Advance, group: TreeRow, { need }: Enough, logic: StepLogic): Promise<boolean> {
  if (need !== 'until') return (await completedRuns(advance, group)) >= need
  const { outcomes, tree } = advance
  const results = await outcomes.iterations(group)
  const done = await outcomes.evaluate(tree.workflowOf(group), group.stepKey ?? '', 'end', (scope) =>
    logic.until?.(scope, iterationOf(results.length, results)),
  )
  if (typeof done === 'boolean') return done
  throw new LogicError('MAPPING_FAILED', `The end of step ${JSON.stringify(group.stepKey)} gave no boolean`)
}

/** Reads at most as many as are needed, in the end: the list is not asked again once they are there. */
async function completedRuns({ tree }: Advance, group: TreeRow): Promise<number> {
  const ended = await tree.childrenOf([group], ENDED_STATUSES)
  return ended.filter((row) => isRunOf(group, row) && row.resolved === 'live').length
}

/** Not beyond the end of the list. */
function isRunOf(group: TreeRow, { undoes, stepIndex }: TreeRow): boolean {
  return undoes === null && (stepIndex ?? 0) < (group.size ?? 0)
}

/** The list has what it needs: what has not ended of it is canceled. One that has not begun, or has ended, stays as it is. */
export async function completeList(advance: Advance, group: TreeRow, data: object): Promise<void> {
  if (group.status !== 'RUNNING') return
  await cancelRest(advance, group, data)
  const { tree } = advance
  group.nextIndex = group.size
  tree.transition(group, 'SUCCEEDED', 'COMPLETED', { resolved: 'live', data })
  tree.idle.delete(group)
  advance.rest(group)
}

async function cancelRest(advance: Advance, group: TreeRow, data: object): Promise<void> {
  const { tree } = advance
  const rest = (await tree.childrenOf([group], UNENDED)).filter((row) => isRunOf(group, row))
  for (const run of rest) await cancelStep(advance, run, 'NOT_NEEDED', { resolved: 'dead', data })
}

const UNENDED = ['PENDING', 'SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'INDETERMINATE'] as const

/** The condition itself went wrong: the list fails, and what moves of it is canceled. */
async function refuseList(advance: Advance, group: TreeRow, thrown: unknown): Promise<void> {
  if (!(thrown instanceof LogicError)) throw thrown
  await cancelRest(advance, group, {})
  advance.tree.idle.delete(group)
  refuseStep(advance, group, thrown)
}
