import type { StepLogic } from '../../core/workflow/logic.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { inputOf, queueStep, refuseStep } from './enter-step.ts'
import { forgetSurplus, openGroup } from './group.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { iterationOf } from './outcomes.ts'
import { planSteps, renewKey } from './plan-steps.ts'
import { graphQueue } from './queues.ts'
import { sharedBy } from './shared-work.ts'
import { startWork } from './start-work.ts'

/** In the place of the next index: the loop's condition holds. */
export const LOOP_DONE = -1

/** Begins a step that runs again and again: with its first iteration. */
export async function beginLoop(advance: Advance, workflow: TreeRow, group: TreeRow, logic: StepLogic): Promise<void> {
  // what a go before left counts no more
  await forgetSurplus(advance, group, 0)
  openGroup(advance, group, 0)
  group.nextIndex = 0
  try {
    await nextIteration(advance, workflow, group, logic, undefined)
  } catch (thrown) {
    refuseStep(advance, group, thrown)
  }
}

/** Asks whether a loop is done, and begins its next iteration if not. */
export async function loopTurn(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (run.resolved !== 'live') return
  const { tree, host, outcomes } = advance
  const workflow = tree.workflowOf(group)
  const compiled = tree.graphOf(workflow)
  const logic = host.logic(compiled)?.steps.get(group.stepKey ?? '')
  if (!logic) return queueStep(advance, group, graphQueue(compiled))
  const index = run.stepIndex ?? 0
  try {
    const result = await outcomes.ofRun(run)
    const iteration = iterationOf(index, result)
    const done = await outcomes.evaluate(workflow, group.stepKey ?? '', 'loop', (scope) =>
      logic.until?.(scope, iteration),
    )
    if (typeof done !== 'boolean')
      throw new LogicError('MAPPING_FAILED', `The loop of step "${group.stepKey}" gave no boolean`)
    if (done) group.nextIndex = LOOP_DONE
    else await nextIteration(advance, workflow, group, logic, result)
    tree.touch(group)
  } catch (thrown) {
    refuseStep(advance, group, thrown)
  }
}

async function nextIteration(
  advance: Advance,
  workflow: TreeRow,
  group: TreeRow,
  logic: StepLogic,
  previous: unknown,
): Promise<void> {
  const { tree } = advance
  const spec = tree.specOf(group)
  const index = group.nextIndex ?? 0
  if (index >= (spec.repeat?.max ?? 0)) return
  const iteration = iterationOf(index, previous)
  const input = await inputOf(advance, workflow, spec, logic, iteration)
  const params = encodeJson(input ?? {}, advance.host.maxParamsBytes, `params of step "${spec.key}[${index}]"`)
  const shared = await sharedBy(advance, workflow, spec, logic, iteration)
  makeRoom(advance, group, 1)
  const [run] = await planSteps(advance, group, group.parentGraph ?? '', [{ spec, index }])
  if (!run) return
  await renewKey(advance, run, params)
  group.nextIndex = index + 1
  group.size = index + 1
  tree.touch(group)
  try {
    await startWork(advance, run, params, shared)
  } catch (thrown) {
    refuseStep(advance, run, thrown)
  }
}
