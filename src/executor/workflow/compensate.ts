import type { RunError } from '../../core/failure.ts'
import { compensationRunId, showRunId } from '../../core/ids.ts'
import { wasCut } from '../../core/outcome.ts'
import { hasEnded, isWhole } from '../../core/status.ts'
import { onErrorOf } from '../../core/workflow/graph.ts'
import { type ReadAttempt, readAttemptsSince } from '../../db/tree/read-attempts.ts'
import { readContents, readUndoable, UNDOABLE_AT_ONCE } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { renewBudget, runOrQueue } from './begin-action.ts'
import { cancelStep, movingBelow } from './cancel-tree.ts'
import { hasBegun } from './queues.ts'
import { causeOf, showStep } from './step-errors.ts'
import type { Change, Tree } from './tree.ts'
import { planUndo } from './undo-run.ts'

/** Whether a step that ended like this makes its workflow undo what was done. */
export function callsForCompensation(tree: Tree, row: TreeRow): boolean {
  if (row.resolved !== null || row.undoes !== null || (row.status !== 'FAILED' && row.status !== 'COMPENSATED'))
    return false
  return onErrorOf(tree.graphOfStep(row).graph, tree.specOf(row)) === 'compensate'
}

/**
 * Turns a workflow back: nothing new of it begins, what has not run is canceled, what runs comes to its end, for its effect
 * may be there; then what was completed is undone, the last completed first (Garcia-Molina and Salem, "Sagas", 1987).
 */
export async function beginCompensation(advance: Advance, row: TreeRow, error: RunError | null): Promise<void> {
  const { tree } = advance
  if (row.status !== 'RUNNING' && row.status !== 'QUEUED') return
  tree.transition(row, 'COMPENSATING', 'COMPENSATION_BEGUN', { error })
  // from here on: the completed steps below this number are still to be undone
  row.nextIndex = null
  const moving = (await movingBelow(tree, row)).filter(
    ({ parentId, status }) => parentId === row.id && status !== 'INDETERMINATE',
  )
  const cut = await cutBefore(tree, moving)
  for (const below of moving) {
    const underWay = below.status === 'RUNNING' || (below.status === 'QUEUED' && hasBegun(below))
    if (underWay && below.kind !== 'ACTION') await beginCompensation(advance, below, error)
    else if (!mayHaveEffect(below) && !cut.has(below.id)) await cancelStep(advance, below, 'NOT_NEEDED', {})
  }
  tree.idle.add(row)
}

/** What runs, and what a crash has cut, may have done something: it is let come to its end, and then undone. */
function mayHaveEffect({ status, losses, probe }: TreeRow): boolean {
  return status === 'RUNNING' || (status === 'QUEUED' && (losses > 0 || probe))
}

/**
 * The same of what is queued again without a loss being counted: a worker that stopped in good order has cut it, or one was lost while
 * the run waited for a service. What was cut before somebody asked for a retry counts no more, as its losses do not.
 */
async function cutBefore(tree: Tree, rows: readonly TreeRow[]): Promise<Set<string>> {
  const again = rows.filter(
    (row) => row.kind === 'ACTION' && row.status === 'QUEUED' && row.budgetStartedAt !== null && !mayHaveEffect(row),
  )
  const attempts = again.length > 0 ? await attemptsOfBudget(tree, again) : []
  return new Set(attempts.filter(wasCut).map(({ runId }) => runId))
}

/** The attempts of runs in their present retry budget that have ended without success; those of this transaction are not written yet. */
async function attemptsOfBudget(tree: Tree, rows: readonly TreeRow[]): Promise<ReadAttempt[]> {
  const since = new Map(rows.map(({ id, budgetStartedAt }) => [id, budgetStartedAt ?? Number.POSITIVE_INFINITY]))
  const own = tree.attempts.filter(
    ({ runId, startedAt }) => startedAt >= (since.get(runId) ?? Number.POSITIVE_INFINITY),
  )
  const written = await readAttemptsSince(
    tree.run,
    [...since].map(([id, sinceMs]) => ({ id, sinceMs })),
  )
  return [...written, ...own.map(({ runId, status, error }) => ({ runId, status, code: error?.code ?? null }))]
}

/** Undoes the step that was completed last, of those that are left; ends the workflow or group when there is none. */
export async function compensateNext(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  for (;;) {
    const steps = await completedBefore(tree, row, row.nextIndex ?? 2_147_483_647)
    if (steps.length === 0) return endCompensation(advance, row)
    for (const step of steps) {
      row.nextIndex = step.endedSeq ?? 0
      tree.touch(row)
      if (await undo(advance, step)) return
    }
  }
}

/** What succeeded; and of what did not the parts that did. */
function mayBeUndone({ status, kind, error }: TreeRow): boolean {
  if (status === 'SUCCEEDED') return true
  return isWhole(kind) && (status === 'FAILED' || status === 'CANCELED') && error?.code !== 'COMPENSATION_FAILED'
}

/** Steps completed before an event's number, the last one first; of many only the last. */
async function completedBefore(tree: Tree, row: TreeRow, below: number): Promise<TreeRow[]> {
  const written = await readUndoable(tree.run, row.id, below)
  tree.admit(written)
  await tree.loadGraphs()
  // those of this transaction are not written yet, and not among them
  const steps = [...tree.all()].filter(
    (step) => step.parentId === row.id && step.undoes === null && (step.endedSeq ?? below) < below && mayBeUndone(step),
  )
  const oldest = written.length < UNDOABLE_AT_ONCE ? 0 : (written.at(-1)?.endedSeq ?? 0)
  return steps
    .filter(({ endedSeq }) => (endedSeq ?? 0) >= oldest)
    .toSorted((a, b) => (b.endedSeq ?? 0) - (a.endedSeq ?? 0))
}

/** False: there is nothing to undo. */
async function undo(advance: Advance, step: TreeRow): Promise<boolean> {
  const { tree, host } = advance
  if (isWhole(step.kind)) {
    tree.transition(step, 'COMPENSATING', 'COMPENSATION_BEGUN')
    step.nextIndex = null
    tree.idle.add(step)
    return true
  }
  const action = host.action(step.name)
  // an action that this node does not know may have something to undo: whoever knows it finds out
  if (step.kind !== 'ACTION' || (action && !action.compensate)) return false
  tree.transition(step, 'COMPENSATING', 'COMPENSATION_BEGUN')
  const { run, given } = await planUndo(tree, step)
  runOrQueue(advance, run, given)
  return true
}

/** The run that undoes a step has come to its end. */
export async function compensationEnded(advance: Advance, run: TreeRow): Promise<void> {
  const { tree } = advance
  if (!hasEnded(run.status) || run.undoes === null) return
  await tree.load([run.undoes])
  const step = tree.get(run.undoes)
  if (step.status !== 'COMPENSATING') return
  if (run.status === 'SUCCEEDED') tree.transition(step, 'COMPENSATED', 'COMPENSATED')
  else {
    const error = {
      code: 'COMPENSATION_FAILED',
      message: `Step ${JSON.stringify(showStep(step))} could not be undone: ${run.error?.message ?? run.status}`,
      retryable: false,
      details: {
        step: showStep(step),
        runId: showRunId(step.id),
        compensationId: showRunId(run.id),
        code: run.error?.code ?? run.status,
      },
    }
    tree.transition(step, 'FAILED', 'COMPENSATION_FAILED', { error })
  }
  advance.rest(step)
}

async function endCompensation(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  if (row.activeCount > 0) return
  const left = await notUndone(tree, row)
  if (left.length === 0) {
    tree.transition(row, 'COMPENSATED', 'COMPENSATED', { error: row.error, ...advance.failureResolution(row) })
    return
  }
  const error = {
    code: 'COMPENSATION_FAILED',
    message: `Could not be undone: ${left.map(showStep).join(', ')}`,
    retryable: false,
    details: { notUndone: left.map((step) => step.error?.details ?? showStep(step)), cause: row.error },
  }
  tree.transition(row, 'FAILED', 'COMPENSATION_FAILED', { error, ...advance.failureResolution(row) })
}

/** Steps that could not be undone. */
async function notUndone(tree: Tree, row: TreeRow): Promise<TreeRow[]> {
  const failed = await tree.childrenOf([row], ['FAILED'])
  return failed.filter(({ error, undoes }) => undoes === null && error?.code === 'COMPENSATION_FAILED')
}

/** What could not be undone is tried again. */
export async function retryCompensation(advance: Advance, row: TreeRow, change: Change) {
  const { tree } = advance
  for (let above = tree.parentOf(row); above; above = tree.parentOf(above))
    if (above.status !== 'FAILED' || above.error?.code !== 'COMPENSATION_FAILED') break
    else tree.transition(above, 'COMPENSATING', 'COMPENSATION_BEGUN', { ...change, error: causeOf(above) })
  if (row.kind === 'ACTION') return retryUndo(advance, row, change)
  tree.transition(row, 'COMPENSATING', 'COMPENSATION_BEGUN', { ...change, error: causeOf(row) })
  for (const step of await notUndone(tree, row)) await retryCompensation(advance, step, change)
  tree.idle.add(row)
}

async function retryUndo(advance: Advance, step: TreeRow, change: Change): Promise<void> {
  const { tree } = advance
  tree.transition(step, 'COMPENSATING', 'COMPENSATION_BEGUN', change)
  const id = compensationRunId(step.id, step.generation)
  await tree.load([id])
  const run = tree.get(id)
  renewBudget(run)
  Object.assign(run, { availableAt: tree.nowMs, endedSeq: null })
  tree.transition(run, 'QUEUED', 'RETRY_REQUESTED', { ...change, error: null })
  const [content] = await readContents(tree.run, [id])
  runOrQueue(advance, run, content?.params)
}
