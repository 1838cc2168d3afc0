import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { queueStep } from './enter-step.ts'
import { LOOP_DONE } from './group.ts'
import { graphQueue } from './host.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { logicError } from './step-errors.ts'

/** Ends a workflow or a group of which nothing moves any more: as its steps ended. */
export async function finish(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  if (row.kind === 'GROUP' && tree.specOf(row).each && (row.nextIndex ?? 0) < (row.size ?? 0)) return
  if (row.indeterminateCount > 0)
    tree.transition(row, 'INDETERMINATE', 'STEP_INDETERMINATE', {
      error: logicError('OUTCOME_UNKNOWN', 'The outcome of a step is unknown; resolve or retry it'),
    })
  else if (row.failedCount > 0) await fail(advance, row)
  else if (row.kind === 'GROUP') succeedGroup(advance, row)
  else await succeedWorkflow(advance, row)
  advance.rest(row)
}

async function fail(advance: Advance, row: TreeRow): Promise<void> {
  const error = await advance.firstFailure(row)
  advance.tree.transition(row, 'FAILED', 'STEP_FAILED', { error, ...advance.failureResolution(row) })
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
