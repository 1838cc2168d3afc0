import { stepRunId } from '../../core/ids.ts'
import { isWhole } from '../../core/status.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { queueAction, renewBudget, runHere } from './begin-action.ts'
import { retryCompensation } from './compensate.ts'
import { refuseStep } from './enter-step.ts'
import { fill } from './group.ts'
import { lastRun, resumeGroup } from './group-turn.ts'
import { graphQueue, isUnentered } from './queues.ts'
import { refuseHalfUndone, reset, resetDependents, reviveAbove } from './revive.ts'
import { type Shared, waitForTurn } from './shared-work.ts'
import { startWork } from './start-work.ts'
import type { Change, Tree } from './tree.ts'

/** What an operator amends. */
export interface Amendment {
  /** JSON text; `undefined` keeps the params. */
  readonly params: string | undefined
  readonly newKey: boolean
}

const FAILING = ['FAILED', 'CANCELED', 'INDETERMINATE', 'COMPENSATED'] as const

/** The steps below a run that hold it up: those that failed, were canceled or are indeterminate, wherever they are. */
async function failingBelow(advance: Advance, row: TreeRow): Promise<TreeRow[]> {
  const { tree } = advance
  const found: TreeRow[] = []
  for (let parents = [row]; parents.length > 0; ) {
    const failing = (await tree.childrenOf(parents, FAILING)).filter(
      ({ resolved, undoes }) => resolved === null && undoes === null,
    )
    parents = failing.filter(
      (one) => isWhole(one.kind) && !wasTurnedBack(one) && one.failedCount + one.indeterminateCount > 0,
    )
    found.push(...failing.filter((one) => !parents.includes(one)))
  }
  return found
}

/** Undone, or not quite: then it is not its steps that are to be retried. */
function wasTurnedBack({ status, error }: TreeRow): boolean {
  return status === 'COMPENSATED' || error?.code === 'COMPENSATION_FAILED'
}

/**
 * Runs a run again that has failed, was canceled or is indeterminate; of a workflow or a list everything below it that holds
 * it up. What depends on it runs again after it, what has succeeded is kept.
 */
export async function retryTree(advance: Advance, row: TreeRow, change: Change, amendment: Amendment): Promise<void> {
  if (row.undoes !== null) {
    await advance.tree.load([row.undoes])
    return retryCompensation(advance, advance.tree.get(row.undoes), change)
  }
  if (row.error?.code === 'COMPENSATION_FAILED') return retryCompensation(advance, row, change)
  const targets = isWhole(row.kind) ? await failingBelow(advance, row) : [row]
  if (targets.length === 0) return retryUnbegun(advance, row, change)
  const together = new Set([row, ...targets])
  for (const target of targets)
    if (target.error?.code === 'COMPENSATION_FAILED') await retryCompensation(advance, target, change)
    else await retryStep(advance, target, change, amendment, together)
  for (const list of new Set(targets.map((target) => listThatFills(advance.tree, target))))
    if (list) await fill(advance, list)
}

/** The list that a step is of, where that begins only so many at once: then what is retried has its turn, in the order of the items. */
function listThatFills(tree: Tree, row: TreeRow): TreeRow | undefined {
  const list = row.stepIndex === null ? undefined : tree.parentOf(row)
  if (list?.status !== 'RUNNING') return undefined
  const { concurrency = null } = tree.specOf(list).each ?? {}
  return concurrency === null ? undefined : list
}

/** Canceled before anything of it had begun, or between two of its steps. */
async function retryUnbegun(advance: Advance, row: TreeRow, change: Change): Promise<void> {
  const { tree } = advance
  refuseHalfUndone(row)
  if (row.budgetStartedAt !== null) {
    const last = row.kind === 'GROUP' ? await lastRun(advance, row) : undefined
    // a loop that never came to its first iteration
    if (row.kind === 'GROUP' && tree.specOf(row).repeat && !last) return again(advance, row, change)
    await reviveAbove(advance, row, change)
    tree.transition(row, 'RUNNING', 'REVIVED', { ...change, error: null })
    await considerPending(advance, row)
    // its own logic may be what failed: it is asked again
    if (last) await resumeGroup(advance, row, last)
    tree.idle.add(row)
  } else if (row.parentId === null) {
    row.availableAt = tree.nowMs
    row.queue = graphQueue(tree.graphOf(row))
    tree.transition(row, 'QUEUED', 'RETRY_REQUESTED', { ...change, error: null })
    advance.queued.add(row.queue)
  } else await again(advance, row, change)
}

/** Begins what could begin: the steps whose dependencies have ended. */
async function considerPending(advance: Advance, workflow: TreeRow): Promise<void> {
  if (workflow.kind !== 'WORKFLOW') return
  const { tree } = advance
  for (const step of await tree.childrenOf([workflow], ['PENDING'])) await advance.consider(workflow, step)
}

async function retryStep(
  advance: Advance,
  row: TreeRow,
  change: Change,
  amendment: Amendment,
  together: ReadonlySet<TreeRow>,
): Promise<void> {
  const { tree } = advance
  const parent = tree.parentOf(row)
  await reviveAbove(advance, row, change, together)
  const heard = parent?.kind === 'WORKFLOW' && row.resolved !== null
  if (heard) await resetDependents(advance, parent, [row.stepKey ?? ''], { ...change, data: { because: row.stepKey } })
  if (row.kind === 'ACTION' && hasParams(row)) await retryAction(advance, row, change, amendment)
  else if (isWhole(row.kind) && row.status !== 'COMPENSATED') await retryUnbegun(advance, row, change)
  else await again(advance, row, change)
}

/** Whether its params were computed: then they are kept, for the repetition is of the same intent. */
function hasParams({ parentId, queue }: TreeRow): boolean {
  return parentId === null || (queue !== null && !isUnentered(queue))
}

async function retryAction(advance: Advance, row: TreeRow, change: Change, amendment: Amendment): Promise<void> {
  const { tree } = advance
  const amended = amendment.params !== undefined
  const before = amended || row.parentId !== null ? (await readParams(tree.run, [row.id]))[0]?.params : undefined
  renewBudget(row)
  if (amended || amendment.newKey) row.generation++
  if (amended) {
    row.params = amendment.params as string
    row.heartbeat = null
  }
  row.endedSeq = null
  // what it does from now on, it does itself
  row.linkedId = null
  const data = {
    ...change.data,
    ...(amendment.newKey && { newKey: true }),
    ...(amended && { paramsBefore: before, paramsAfter: JSON.parse(amendment.params as string) }),
  }
  const requested = { ...change, data: isEmpty(data) ? undefined : data, error: null }
  const list = listThatFills(tree, row)
  if (list) {
    const shared = sharedBefore(tree, row)
    tree.transition(row, 'PENDING', 'RETRY_REQUESTED', requested)
    row.queue = null
    return putBack(list, row, shared)
  }
  row.availableAt = tree.nowMs
  tree.transition(row, 'QUEUED', 'RETRY_REQUESTED', requested)
  row.paused = tree.root.paused
  const params = amended ? JSON.parse(amendment.params as string) : before
  const limit = row.parentId === null ? undefined : tree.specOf(row).limit
  if (row.parentId === null) advance.queued.add(row.name)
  else if (limit && row.limitKey !== null) waitForTurn(advance, row, { limit: { key: row.limitKey, max: limit.max } })
  else if (!runHere(advance, row, params)) queueAction(advance, row, 'RETRY_REQUESTED')
}

/** A step that computes what it does: it does so again. One of a list or a loop has its params, and its key, already. */
async function again(advance: Advance, row: TreeRow, change: Change): Promise<void> {
  const { tree } = advance
  const parent = tree.parentOf(row)
  const shared = sharedBefore(tree, row)
  reset(advance, row, change)
  if (parent?.kind === 'WORKFLOW') return advance.consider(parent, row)
  const list = listThatFills(tree, row)
  if (list) return putBack(list, row, shared)
  const params = (await readParams(tree.run, [row.id]))[0]?.params ?? {}
  try {
    await startWork(advance, row, JSON.stringify(params), shared)
  } catch (thrown) {
    refuseStep(advance, row, thrown)
  }
}

/** It is begun when its list comes to it. */
function putBack(list: TreeRow, row: TreeRow, shared: Shared): void {
  row.wait = isEmpty(shared) ? null : shared
  list.nextIndex = Math.min(list.nextIndex ?? 0, row.stepIndex ?? 0)
}

/** What one of a list or a loop was to share when it was begun, or prepared. */
function sharedBefore(tree: Tree, row: TreeRow): Shared {
  if (row.stepIndex === null) return {}
  const kept = row.wait as { readonly key?: string; readonly limit?: string | { readonly key: string } } | null
  const limitKey = row.limitKey ?? (typeof kept?.limit === 'object' ? kept.limit.key : kept?.limit)
  const max = tree.specOf(row).limit?.max
  return {
    ...(kept?.key !== undefined && { key: kept.key }),
    ...(max !== undefined && limitKey !== undefined && { limit: { key: limitKey, max } }),
  }
}

function isEmpty(data: object): boolean {
  return Object.keys(data).length === 0
}

/** The id of the step that a path names: `key`, `key[2]`, `key[2]/inner`, from a workflow run on. */
export function resolvePath(runId: string, path: string): string | undefined {
  let id = runId
  for (const part of path.split('/')) {
    const [, key, index] = /^([^[\]]+)(?:\[(\d{1,9})\])?$/.exec(part) ?? []
    if (key === undefined) return undefined
    id = stepRunId(id, key, null)
    if (index !== undefined) id = stepRunId(id, key, Number(index))
  }
  return id
}
