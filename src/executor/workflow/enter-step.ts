import type { StepSpec } from '../../core/workflow/graph.ts'
import type { GraphLogic, Iteration, StepLogic } from '../../core/workflow/logic.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { beginList } from './group.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { beginLoop } from './loop.ts'
import { renewKey } from './plan-steps.ts'
import { GOES_ON, graphQueue } from './queues.ts'
import { sharedBy } from './shared-work.ts'
import { startWork } from './start-work.ts'
import { beginSleep, beginWaitForSignal } from './waits.ts'

/**
 * Begins a step whose dependencies allow it: asks its condition, computes what it is given, and lets it do its work. Where
 * this node lacks the code of the graph, or the tree is paused, the step is QUEUED for whoever may go on. What the logic does
 * wrong fails the step.
 */
export async function enterStep(advance: Advance, workflow: TreeRow, row: TreeRow): Promise<void> {
  const { tree, host } = advance
  const compiled = tree.graphOf(workflow)
  const logic = host.logic(compiled)
  if (!logic || tree.root.paused) return queueStep(advance, row, graphQueue(compiled))
  const spec = tree.specOf(row)
  try {
    if (spec.conditional && !(await asksToRun(advance, workflow, spec, logic.steps.get(spec.key)))) {
      tree.transition(row, 'SKIPPED', 'CONDITION_FALSE', { resolved: 'dead' })
      return advance.rest(row)
    }
    await begin(advance, workflow, row, spec, logic)
  } catch (thrown) {
    refuseStep(advance, row, thrown)
  }
}

async function asksToRun(advance: Advance, workflow: TreeRow, spec: StepSpec, logic: StepLogic | undefined) {
  const verdict = await advance.outcomes.evaluate(workflow, spec.key, 'condition', (scope) => logic?.when?.(scope))
  if (typeof verdict === 'boolean') return verdict
  throw new LogicError('MAPPING_FAILED', `The condition of step ${JSON.stringify(spec.key)} gave no boolean`)
}

async function begin(advance: Advance, workflow: TreeRow, row: TreeRow, spec: StepSpec, logic: GraphLogic) {
  const own = logic.steps.get(spec.key) ?? {}
  if (spec.each) return beginList(advance, workflow, row, own)
  if (spec.repeat) return beginLoop(advance, workflow, row, own)
  if (spec.work.kind === 'signal') return beginWaitForSignal(advance, row, spec.work)
  const input = await inputOf(advance, workflow, spec, own, undefined)
  switch (spec.work.kind) {
    case 'value': {
      const result = encodeJson(input ?? null, advance.host.maxResultBytes, `value of step ${JSON.stringify(spec.key)}`)
      advance.tree.transition(row, 'SUCCEEDED', 'COMPUTED', { resolved: 'live', result })
      return advance.rest(row)
    }
    case 'sleep':
      return beginSleep(advance, row, input)
    case 'action':
    case 'workflow': {
      const shared = await sharedBy(advance, workflow, spec, own, undefined)
      const params = encodeJson(input ?? {}, advance.host.maxParamsBytes, `params of step ${JSON.stringify(spec.key)}`)
      await renewKey(advance, row, params)
      return startWork(advance, row, params, shared)
    }
  }
}

/** What a step's work is given. */
export function inputOf(
  { outcomes }: Advance,
  workflow: TreeRow,
  { key }: StepSpec,
  logic: StepLogic,
  iteration: Iteration | undefined,
): Promise<unknown> {
  return outcomes.evaluate(workflow, key, 'mapper', (scope) => logic.input?.(scope, iteration))
}

/** Leaves a step to a worker that has the code of its graph: to begin it, or to go on with it where it had stopped. */
export function queueStep(advance: Advance, row: TreeRow, queue: string): void {
  const { tree } = advance
  const goesOn = row.status === 'RUNNING'
  row.queue = queue
  row.paused = tree.root.paused
  row.availableAt = tree.nowMs
  // it may be in another queue already, or have been paused there
  if (row.status === 'QUEUED') tree.touch(row)
  else tree.transition(row, 'QUEUED', row.status === 'PENDING' ? 'READY' : 'GRAPH_NEEDED', { data: { queue } })
  if (goesOn) row.wait = GOES_ON
  if (!row.paused) advance.queued.add(queue)
}

/** The step's own logic failed. A fault of the database or of the server is thrown on. */
export function refuseStep(advance: Advance, row: TreeRow, thrown: unknown): void {
  if (!(thrown instanceof LogicError)) throw thrown
  // a list that cannot be made has no runs whose errors could be values
  const ofList = row.kind === 'GROUP' && advance.tree.specOf(row).each !== undefined
  advance.tree.transition(row, 'FAILED', 'INPUT_REFUSED', {
    error: thrown.recorded(),
    ...(!ofList && advance.failureResolution(row)),
  })
  advance.rest(row)
}
