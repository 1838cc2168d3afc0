import type { StepSpec } from '../../core/workflow/graph.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { RegisteredAction } from '../registry.ts'
import type { Advance } from './advance.ts'
import type { Tree } from './tree.ts'
import { compensationOf } from './undo-run.ts'

/** Lets the action of a step run with the params that it has: at once on this node where there is room, else by the queue. */
export function runOrQueue(advance: Advance, row: TreeRow, params: unknown): void {
  if (!runHere(advance, row, params)) queueAction(advance, row, row.status === 'WAITING' ? 'LIMIT_GRANTED' : 'READY')
}

/** Puts an action into the queue of its name. */
export function queueAction(
  advance: Advance,
  row: TreeRow,
  reason: 'READY' | 'RETRY_REQUESTED' | 'LIMIT_GRANTED',
): void {
  const { tree } = advance
  row.queue = row.name
  row.paused = tree.root.paused
  row.availableAt = tree.nowMs
  if (row.status === 'QUEUED') tree.touch(row)
  else tree.transition(row, 'QUEUED', reason)
  if (!row.paused) advance.queued.add(row.name)
}

/** Gives the run to this node's worker, if it has room. */
export function runHere(advance: Advance, row: TreeRow, params: unknown): boolean {
  const { tree, host, leased } = advance
  const action = host.action(row.name)
  if (!action || !leased || tree.root.paused || !host.reserve(action)) return false
  const asStep = overridden(action, tree, row)
  startAttempt(tree, row, host.workerId, asStep)
  advance.started.push({ row, fence: row.fence, params, action: asStep })
  host.begins.add(row.id)
  return true
}

/** What failed and was lost so far counts no more. */
export function renewBudget(row: TreeRow): void {
  Object.assign(row, { failures: 0, losses: 0, budgetStartedAt: null, probe: false })
}

/** The next attempt of a run begins, by a worker. */
export function startAttempt(tree: Tree, row: TreeRow, workerId: string, { effect }: RegisteredAction): void {
  row.attempt++
  row.fence++
  row.effect = effect
  row.startedAt ??= tree.nowMs
  row.attemptStartedAt = tree.nowMs
  row.budgetStartedAt ??= tree.nowMs
  row.queue = row.name
  tree.transition(row, 'RUNNING', 'STARTED', { attempt: row.attempt })
  row.workerId = workerId
}

/** The action as its step has it: with the step's own retry, timeout and effect class. */
export function overridden(action: RegisteredAction, tree: Tree, row: TreeRow): RegisteredAction {
  if (row.undoes !== null) return compensationOf(action)
  return row.stepKey === null ? action : asStepHasIt(action, tree.specOf(row))
}

/** The same for one that undoes nothing, by its step. */
export function asStepHasIt(action: RegisteredAction, { retry, timeoutMs, effect }: StepSpec): RegisteredAction {
  if (!retry && timeoutMs === undefined && effect === undefined) return action
  return {
    ...action,
    retry: {
      ...action.retry,
      ...(retry?.maxAttempts !== undefined && { maxAttempts: retry.maxAttempts }),
      ...(retry?.deadlineMs !== undefined && { deadlineMs: retry.deadlineMs }),
      backoff: { ...action.retry.backoff, ...retry?.backoff },
    },
    timeoutMs: timeoutMs ?? action.timeoutMs,
    effect: effect ?? action.effect,
  }
}
