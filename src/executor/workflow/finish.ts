import type { RunError } from '../../core/failure.ts'
import { hasEnded } from '../../core/status.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { beginCompensation, callsForCompensation, compensateNext } from './compensate.ts'
import { queueStep } from './enter-step.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { LOOP_DONE } from './loop.ts'
import { graphQueue } from './queues.ts'
import { logicError } from './step-errors.ts'

/** Ends a workflow or a group of which nothing moves any more: as its steps ended. */
export async function finish(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  if (row.status === 'COMPENSATING' && row.indeterminateCount === 0) {
    await compensateNext(advance, row)
    if (hasEnded(row.status)) advance.rest(row)
    return
  }
  const moves = row.status === 'RUNNING'
  if (moves && row.kind === 'GROUP' && tree.specOf(row).each && (row.nextIndex ?? 0) < (row.size ?? 0)) return
  // those that depend on a list that had enough have gone on: how its last runs ended changes nothing
  if (moves && row.kind === 'GROUP' && row.resolved !== null) succeedGroup(advance, row)
  else if (row.indeterminateCount > 0)
    tree.transition(row, 'INDETERMINATE', 'STEP_INDETERMINATE', { error: outcomeUnknown(row) })
  else if (row.failedCount > 0) await fail(advance, row)
  else if (row.kind === 'GROUP') succeedGroup(advance, row)
  else await succeedWorkflow(advance, row)
  if (row.status !== 'COMPENSATING') advance.rest(row)
}

/** Of what is on its way back it keeps why: the outcome is waited for, the undoing is not called off. */
function outcomeUnknown({ status, error }: TreeRow): RunError {
  const details = status === 'COMPENSATING' && error ? { cause: error } : undefined
  return logicError('OUTCOME_UNKNOWN', 'The outcome of a step is unknown; resolve or retry it', details)
}

async function fail(advance: Advance, row: TreeRow): Promise<void> {
  const error = await advance.firstFailure(row)
  if (row.kind === 'WORKFLOW' && (await callingForCompensation(advance, row)))
    return beginCompensation(advance, row, error)
  advance.tree.transition(row, 'FAILED', 'STEP_FAILED', { error, ...advance.failureResolution(row) })
}

/** The step that calls for compensation: one that failed while an outcome was unknown has been waiting for that to be resolved. */
export async function callingForCompensation(
  { tree }: Advance,
  row: TreeRow,
  apartFrom: ReadonlySet<TreeRow> = new Set(),
): Promise<TreeRow | undefined> {
  const failed = await tree.childrenOf([row], ['FAILED', 'COMPENSATED'])
  return failed.find((one) => !apartFrom.has(one) && callsForCompensation(tree, one))
}

/** The results of a group are those of its runs: they are read there, and not stored twice. */
function succeedGroup(advance: Advance, row: TreeRow): void {
  const { tree } = advance
  const { repeat } = tree.specOf(row)
  if (!repeat || row.nextIndex === LOOP_DONE) {
    tree.transition(row, 'SUCCEEDED', 'COMPLETED', { resolved: 'live' })
    return
  }
  const error = logicError(
    'LOOP_EXHAUSTED',
    `Step ${JSON.stringify(row.stepKey)} was not done after ${repeat.max} iterations`,
  )
  tree.transition(row, 'FAILED', 'LOOP_EXHAUSTED', { error, ...advance.failureResolution(row) })
}

async function succeedWorkflow(advance: Advance, row: TreeRow): Promise<void> {
  const { tree, host, outcomes } = advance
  const compiled = tree.graphOf(row)
  const logic = host.logic(compiled)
  if (!logic) return queueStep(advance, row, graphQueue(compiled))
  try {
    const last = compiled.graph.steps.at(-1)?.key
    const result = logic.result
      ? await outcomes.evaluate(row, 'the end', 'result', (scope) => logic.result?.(scope))
      : last === undefined
        ? null
        : await outcomes.outcome(row, last)
    const text = encodeJson(result ?? null, host.maxResultBytes, 'result')
    tree.transition(row, 'SUCCEEDED', 'COMPLETED', { resolved: 'live', result: text })
  } catch (thrown) {
    if (!(thrown instanceof LogicError)) throw thrown
    tree.transition(row, 'FAILED', 'RESULT_REFUSED', { error: thrown.recorded(), ...advance.failureResolution(row) })
  }
}
