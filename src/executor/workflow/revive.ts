import type { RunError } from '../../core/failure.ts'
import { InvalidTransitionError } from '../../core/request-errors.ts'
import type { RunStatus } from '../../core/status.ts'
import { descendantsOf } from '../../core/workflow/graph.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { renewBudget } from './begin-action.ts'
import { cancelStep, movingBelow } from './cancel-tree.ts'
import { callingForCompensation } from './finish.ts'
import { passedDeadline, showStep, stepFailed } from './step-errors.ts'
import type { Change, Tree } from './tree.ts'

/**
 * Lets everything above a run go on: what has ended because of it is RUNNING again. Throws `InvalidTransitionError` where
 * something above has succeeded without it: that result has been given out.
 * @param together what is retried at once, and what it is retried as the whole of.
 */
export async function reviveAbove(
  advance: Advance,
  row: TreeRow,
  change: Change,
  together: ReadonlySet<TreeRow> = new Set([row]),
): Promise<void> {
  const { tree } = advance
  const chain: TreeRow[] = []
  for (let above = tree.parentOf(row); above; above = tree.parentOf(above)) chain.push(above)
  const done = chain.find(({ status }) => !REVIVABLE.includes(status))
  if (done) throw new InvalidTransitionError('changed below', done.status, REVIVABLE)
  for (const one of [row, ...chain]) {
    refuseHalfUndone(one)
    await refuseWhileUndone(advance, one)
  }
  // from the root down: what is in a workflow that turns back turns back too, and what is in one that is retried as a whole does not
  let back: RunError | undefined
  let asWhole = false
  for (const above of chain.toReversed()) {
    asWhole ||= together.has(above)
    const open = above.status === 'INDETERMINATE'
    back = open ? ((await turnedBackBy(advance, above, together, asWhole)) ?? back) : undefined
    if (back) turnBackAgain(advance, above, back, change)
    else await revive(advance, above, change)
  }
}

/** Why a workflow was on its way back when the outcome of a step turned out to be unknown. */
async function turnedBackBy(
  advance: Advance,
  above: TreeRow,
  together: ReadonlySet<TreeRow>,
  asWhole: boolean,
): Promise<RunError | undefined> {
  // it has what is needed anew, and its time too
  const deadline = asWhole ? null : passedDeadline(above)
  if (deadline) return deadline
  const failed = above.kind === 'WORKFLOW' ? await callingForCompensation(advance, above, together) : undefined
  return failed && stepFailed(failed)
}

/** Throws `InvalidTransitionError` where something that would be set back with a step is being undone at this moment. */
async function refuseWhileUndone({ tree }: Advance, row: TreeRow): Promise<void> {
  const parent = tree.parentOf(row)
  if (parent?.kind !== 'WORKFLOW' || row.resolved === null) return
  const keys = descendantsOf(tree.graphOf(parent), [row.stepKey ?? ''])
  await tree.load(keys.map((key) => tree.stepId(parent.id, key)))
  for (const key of keys) {
    const dependent = tree.get(tree.stepId(parent.id, key))
    const moving = [dependent, ...(await movingBelow(tree, dependent))]
    if (moving.some(({ status }) => status === 'COMPENSATING'))
      throw new InvalidTransitionError(
        `done again while ${showStep(dependent)}, which depends on it, is being undone`,
        row.status,
        [],
      )
  }
}

function turnBackAgain({ tree }: Advance, above: TreeRow, error: RunError, change: Change): void {
  tree.transition(above, 'COMPENSATING', 'COMPENSATION_BEGUN', { ...change, error })
  above.nextIndex = null
  above.endedSeq = null
  tree.idle.add(above)
}

function isHalfUndone({ status, error }: TreeRow): boolean {
  const details = error?.details as { whileCompensating?: boolean } | undefined
  return status === 'CANCELED' && details?.whileCompensating === true
}

/** Throws `InvalidTransitionError` for what was canceled while it was being undone: half of it is there, and half is not. */
export function refuseHalfUndone(row: TreeRow): void {
  if (isHalfUndone(row))
    throw new InvalidTransitionError('made to go on, for it was canceled while it was being undone', row.status, [])
}

const REVIVABLE: readonly RunStatus[] = ['RUNNING', 'QUEUED', 'FAILED', 'CANCELED', 'INDETERMINATE']

async function revive(advance: Advance, above: TreeRow, change: Change): Promise<void> {
  const { tree } = advance
  // what it would fail with may be what is being repaired
  if (above.status === 'RUNNING') above.error = null
  if (above.status === 'RUNNING' || above.status === 'QUEUED') return
  const parent = tree.parentOf(above)
  const heard = above.resolved !== null && parent?.kind === 'WORKFLOW'
  tree.transition(above, 'RUNNING', 'REVIVED', { ...change, error: null })
  above.endedSeq = null
  const deadlineMs = above.kind === 'WORKFLOW' ? tree.graphOf(above).graph.deadlineMs : undefined
  // the deadline is for what is done from now on
  if (deadlineMs !== undefined) above.wakeAt = tree.nowMs + deadlineMs
  if (heard) await resetDependents(advance, parent, [above.stepKey ?? ''], change)
}

/**
 * What depends on these steps, and has heard of them, is set back: it will run again when they have. What has not begun is
 * counted anew.
 */
export async function resetDependents(
  advance: Advance,
  workflow: TreeRow,
  keys: readonly string[],
  change: Change,
): Promise<TreeRow[]> {
  const { tree } = advance
  const compiled = tree.graphOf(workflow)
  const dependents = descendantsOf(compiled, keys)
  const idOf = (key: string) => tree.stepId(workflow.id, key)
  await tree.load(dependents.flatMap((key) => [key, ...(compiled.steps.get(key)?.after ?? [])]).map(idOf))
  const rows = dependents.map((key) => tree.get(idOf(key)))
  for (const row of rows) {
    if (row.status === 'PENDING') continue
    if (row.finishedAt === null) await cancelStep(advance, row, 'NOT_NEEDED', change)
    reset(advance, row, change)
  }
  for (const row of rows) recount(tree, workflow, row, keys)
  return rows
}

/** Sets a step back to where it was before it began. Its attempts and events stay. */
export function reset({ tree, outcomes }: Advance, row: TreeRow, change: Change): void {
  Object.assign(row, { availableAt: null, linkedId: null, queue: null, paused: false })
  renewBudget(row)
  // what was undone is another intent, and undone by another run
  if (row.status === 'COMPENSATED' || isHalfUndone(row) || row.error?.code === 'COMPENSATION_FAILED') row.generation++
  tree.transition(row, 'PENDING', 'RESET', { ...change, error: null })
  row.endedSeq = null
  outcomes.forget(row.id)
}

/** Counts the dependencies of a step as they stand now; those that are about to run again will be heard of again. */
function recount(tree: Tree, workflow: TreeRow, row: TreeRow, again: readonly string[]): void {
  const before = [...new Set(tree.specOf(row).after)]
  const heard = before
    .filter((key) => !again.includes(key))
    .map((key) => tree.get(tree.stepId(workflow.id, key)).resolved)
    .filter((resolved) => resolved !== null)
  row.pendingCount = before.length - heard.length
  row.liveCount = heard.filter((resolved) => resolved === 'live').length
  tree.touch(row)
}
