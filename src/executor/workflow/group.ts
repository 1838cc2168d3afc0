import type { StepSpec } from '../../core/workflow/graph.ts'
import type { StepLogic } from '../../core/workflow/logic.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { inputOf, refuseStep } from './enter-step.ts'
import { takeKeptItems } from './grow-list.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { iterationOf } from './outcomes.ts'
import { paramsBefore, planSteps, renewKeyFrom } from './plan-steps.ts'
import { type Shared, sharedBy } from './shared-work.ts'
import { startWork } from './start-work.ts'

/** Items of a list. */
export const MAX_ITEMS = 10_000

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
  const ids = items.map((_, index) => tree.stepId(group.id, spec.key, index))
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
export async function forgetSurplus({ tree }: Advance, group: TreeRow, size: number): Promise<void> {
  if ((group.size ?? 0) <= size) return
  const ids = Array.from({ length: (group.size ?? 0) - size }, (_, i) =>
    tree.stepId(group.id, group.stepKey ?? '', size + i),
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
    const id = tree.stepId(group.id, group.stepKey ?? '', group.nextIndex ?? 0)
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

/** A list or a loop is under way. */
export function openGroup({ tree }: Advance, group: TreeRow, size: number): void {
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
