import { stepRunId } from '../../core/ids.ts'
import type { StepSpec } from '../../core/workflow/graph.ts'
import type { StepLogic } from '../../core/workflow/logic.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { inputOf, queueStep, refuseStep } from './enter-step.ts'
import { graphQueue } from './host.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { newStep } from './new-step.ts'
import { iterationOf } from './outcomes.ts'
import { type Shared, sharedBy } from './shared-work.ts'
import { startWork } from './start-work.ts'

const MAX_ITEMS = 10_000

/** In the place of the next index: the loop's condition holds. */
export const LOOP_DONE = -1

/**
 * Begins a step that runs for each item of a list. The list is asked for once: every run gets its params now, so that what
 * happens to the list later changes nothing.
 */
export async function beginList(advance: Advance, workflow: TreeRow, group: TreeRow, logic: StepLogic): Promise<void> {
  const { tree, host } = advance
  const spec = tree.specOf(group)
  const items = await listOf(advance, workflow, spec, logic)
  const planned: Planned[] = []
  for (const [index, item] of items.entries()) {
    const iteration = iterationOf(index, item)
    const input = await inputOf(advance, workflow, spec, logic, iteration)
    const params = encodeJson(input ?? {}, host.maxParamsBytes, `params of step "${spec.key}[${index}]"`)
    planned.push({ params, shared: await sharedBy(advance, workflow, spec, logic, iteration) })
  }
  makeRoom(advance, group, items.length)
  openGroup(advance, group, items.length)
  const runs = planned.map(({ params, shared }, index) => ({
    ...iterationRow(advance, group, spec, index),
    params,
    // what it shares was computed with its item, which is not kept
    wait: shared,
  }))
  for (const run of runs) tree.insert(run)
  const first = Math.min(runs.length, spec.each?.concurrency ?? runs.length)
  group.nextIndex = first
  for (const [index, run] of runs.slice(0, first).entries()) await beginIteration(advance, run, planned[index]!.params)
}

/** A run of a list, before it begins. */
interface Planned {
  readonly params: string
  readonly shared: Shared
}

async function listOf(
  { outcomes }: Advance,
  workflow: TreeRow,
  { key }: StepSpec,
  logic: StepLogic,
): Promise<unknown[]> {
  const items = await outcomes.evaluate(workflow, key, 'list', (scope) => logic.items?.(scope))
  const step = JSON.stringify(key)
  if (!Array.isArray(items)) throw new LogicError('MAPPING_FAILED', `The list of step ${step} is no array`)
  if (items.length > MAX_ITEMS)
    throw new LogicError(
      'TOO_MANY_RUNS',
      `The list of step ${step} has ${items.length} items; at most ${MAX_ITEMS} may be`,
    )
  return items
}

/** Begins a step that runs again and again: with its first iteration. */
export async function beginLoop(advance: Advance, workflow: TreeRow, group: TreeRow, logic: StepLogic): Promise<void> {
  openGroup(advance, group, 0)
  group.nextIndex = 0
  try {
    await nextIteration(advance, workflow, group, logic, undefined)
  } catch (thrown) {
    refuseStep(advance, group, thrown)
  }
}

function openGroup({ tree }: Advance, group: TreeRow, size: number): void {
  group.size = size
  group.startedAt ??= tree.nowMs
  group.queue = null
  tree.transition(group, 'RUNNING', 'STARTED', { data: { runs: size } })
  tree.idle.add(group)
}

function iterationRow({ tree }: Advance, group: TreeRow, spec: StepSpec, index: number): TreeRow {
  return newStep(group, group.parentGraph ?? '', spec, tree.nowMs, index)
}

async function beginIteration(advance: Advance, run: TreeRow, params: string): Promise<void> {
  try {
    await startWork(advance, run, params, (run.wait ?? {}) as Shared)
  } catch (thrown) {
    refuseStep(advance, run, thrown)
  }
}

/** A run of a group ended: the next one of a list may begin, or a loop asks whether it is done. */
export async function groupChildEnded(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (group.status !== 'RUNNING') return
  if (advance.tree.specOf(group).repeat) return loopTurn(advance, group, run)
  const index = group.nextIndex ?? 0
  if (index >= (group.size ?? 0)) return
  const id = stepRunId(group.id, group.stepKey ?? '', index)
  await advance.tree.load([id])
  const next = advance.tree.get(id)
  group.nextIndex = index + 1
  const [read] = await readParams(advance.tree.run, [id])
  await beginIteration(advance, next, JSON.stringify(read?.params ?? {}))
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
    const result = (await outcomes.iterations(group)).at(index)
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
  const run = iterationRow(advance, group, spec, index)
  tree.insert(run)
  group.nextIndex = index + 1
  group.size = index + 1
  tree.touch(group)
  try {
    await startWork(advance, run, params, shared)
  } catch (thrown) {
    refuseStep(advance, run, thrown)
  }
}
