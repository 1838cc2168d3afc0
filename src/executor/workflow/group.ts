import { stepRunId } from '../../core/ids.ts'
import { hasEnded } from '../../core/status.ts'
import type { StepSpec } from '../../core/workflow/graph.ts'
import type { StepLogic } from '../../core/workflow/logic.ts'
import { readChildren } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { askEnough } from './enough.ts'
import { inputOf, queueStep, refuseStep } from './enter-step.ts'
import { takeKeptItems } from './grow-list.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { iterationOf } from './outcomes.ts'
import { paramsBefore, planSteps, renewKey, renewKeyFrom } from './plan-steps.ts'
import { graphQueue } from './queues.ts'
import { type Shared, sharedBy } from './shared-work.ts'
import { startWork } from './start-work.ts'

/** Items of a list. */
export const MAX_ITEMS = 10_000

/** In the place of the next index: the loop's condition holds. */
export const LOOP_DONE = -1

/**
 * Begins a step that runs for each item of a list. The list is asked for once: every run gets its params now, so that what
 * happens to the list later changes nothing. Where the step is done again, each place of the list keeps its run: one that has
 * succeeded with the same params is kept as it is, any other runs again, and those beyond the end of the list do not count.
 */
export async function beginList(advance: Advance, workflow: TreeRow, group: TreeRow, logic: StepLogic): Promise<void> {
  const { tree } = advance
  const spec = tree.specOf(group)
  const items = await itemsOf(advance, workflow, spec, logic)
  makeRoom(advance, group, items.length)
  const ids = items.map((_, index) => stepRunId(group.id, spec.key, index))
  const before = group.startedAt === null ? new Map<string, string>() : await paramsBefore(advance, ids)
  await forgetSurplus(advance, group, items.length)
  const runs = await planSteps(
    advance,
    group,
    group.parentGraph ?? '',
    items.map((_, index) => ({ spec, index })),
    (row, index) => row.status === 'SUCCEEDED' && before.get(row.id) === items[index]?.params,
  )
  openGroup(advance, group, items.length)
  group.waitName = spec.each?.more ?? null
  for (const [index, run] of runs.entries()) if (run.status === 'PENDING') prepare(advance, run, items[index]!, before)
  group.nextIndex = 0
  await fill(advance, group)
  if (group.waitName !== null) await takeKeptItems(advance, group, group.waitName)
}

/** What a run of a list is given, and what it shares with others: the item itself is not kept. */
export interface Item {
  readonly params: string
  readonly shared: Shared
}

async function itemsOf(advance: Advance, workflow: TreeRow, spec: StepSpec, logic: StepLogic): Promise<Item[]> {
  const items: Item[] = []
  for (const [index, item] of (await listOf(advance, workflow, spec, logic)).entries())
    items.push(await itemAt(advance, workflow, spec, logic, index, item))
  return items
}

/** What the run at a place of a list is given. */
export async function itemAt(
  advance: Advance,
  workflow: TreeRow,
  spec: StepSpec,
  logic: StepLogic,
  index: number,
  item: unknown,
): Promise<Item> {
  const iteration = iterationOf(index, item)
  const input = await inputOf(advance, workflow, spec, logic, iteration)
  const params = encodeJson(input ?? {}, advance.host.maxParamsBytes, `params of step "${spec.key}[${index}]"`)
  return { params, shared: await sharedBy(advance, workflow, spec, logic, iteration) }
}

/** Gives a run of a list what it begins with. */
export function prepare(
  { tree }: Advance,
  run: TreeRow,
  { params, shared }: Item,
  before: ReadonlyMap<string, string>,
): void {
  renewKeyFrom(run, before.get(run.id), params)
  run.params = params
  run.wait = shared.key !== undefined || shared.limit ? shared : null
  tree.touch(run)
}

/** Runs beyond the end of the list stay for the record, and hold nothing up. */
async function forgetSurplus({ tree }: Advance, group: TreeRow, size: number): Promise<void> {
  if ((group.size ?? 0) <= size) return
  const ids = Array.from({ length: (group.size ?? 0) - size }, (_, i) =>
    stepRunId(group.id, group.stepKey ?? '', size + i),
  )
  await tree.load(ids)
  for (const id of ids) tree.dismiss(tree.get(id))
}

/**
 * Begins the next runs of a list, as many as there is room for; those that are done already take none. One that waits for its
 * next attempt keeps its place.
 */
export async function fill(advance: Advance, group: TreeRow): Promise<void> {
  const { tree } = advance
  const atOnce = tree.specOf(group).each?.concurrency ?? Number.POSITIVE_INFINITY
  for (let left = atOnce - group.activeCount; left > 0 && (group.nextIndex ?? 0) < (group.size ?? 0); ) {
    const id = stepRunId(group.id, group.stepKey ?? '', group.nextIndex ?? 0)
    await tree.load([id])
    const next = tree.get(id)
    group.nextIndex = (group.nextIndex ?? 0) + 1
    if (next.status !== 'PENDING') continue
    left--
    await beginIteration(advance, next)
  }
  tree.touch(group)
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

function openGroup({ tree }: Advance, group: TreeRow, size: number): void {
  group.size = size
  group.startedAt ??= tree.nowMs
  group.budgetStartedAt = tree.nowMs
  group.queue = null
  tree.transition(group, 'RUNNING', 'STARTED', { data: { runs: size } })
  tree.idle.add(group)
}

async function beginIteration(advance: Advance, run: TreeRow): Promise<void> {
  try {
    const params = run.params ?? (await paramsBefore(advance, [run.id])).get(run.id) ?? '{}'
    await startWork(advance, run, params, (run.wait ?? {}) as Shared)
  } catch (thrown) {
    refuseStep(advance, run, thrown)
  }
}

/** A run of a group ended: the next one of a list may begin, or a loop asks whether it is done. */
export async function groupChildEnded(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (group.status !== 'RUNNING') return
  if (advance.tree.specOf(group).repeat) return loopTurn(advance, group, run)
  await listTurn(advance, group, run)
}

/** Asks whether a list has enough, and begins its next runs if it goes on. */
async function listTurn(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (run.resolved === 'live' && group.resolved === null) await askEnough(advance, group)
  if (group.status === 'RUNNING') await fill(advance, group)
}

/** Of the runs of a list or a loop that count and have ended, the one with the highest index. */
export async function lastRun({ tree }: Advance, group: TreeRow): Promise<TreeRow | undefined> {
  tree.admit(await readChildren(tree.run, [group.id], ['SUCCEEDED', 'FAILED', 'SKIPPED']))
  await tree.loadGraphs()
  const ended = [...tree.all()].filter(
    ({ parentId, undoes, status, stepIndex }) =>
      parentId === group.id && undoes === null && hasEnded(status) && (stepIndex ?? 0) < (group.size ?? 0),
  )
  return ended.toSorted((a, b) => (a.stepIndex ?? 0) - (b.stepIndex ?? 0)).at(-1)
}

/** Goes on with a list or a loop that was left to a worker that has its code, where it was. */
export async function resumeGroup(advance: Advance, group: TreeRow, last: TreeRow): Promise<void> {
  const { each } = advance.tree.specOf(group)
  if (!each) return loopTurn(advance, group, last)
  group.waitName = each.more ?? null
  await listTurn(advance, group, last)
}

/** Asks whether a loop is done, and begins its next iteration if not. */
async function loopTurn(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
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
