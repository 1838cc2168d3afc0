import { idempotencyKeyProblem } from '../../core/idempotency.ts'
import { keyedRunId, showRunId } from '../../core/ids.ts'
import { hasEnded } from '../../core/status.ts'
import type { StepSpec } from '../../core/workflow/graph.ts'
import type { Iteration, StepLogic } from '../../core/workflow/logic.ts'
import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { LogicError } from './logic-error.ts'
import { logicError } from './step-errors.ts'

/** What a step shares with other runs: an execution under a business key, a limit. Evaluated when the step begins. */
export interface Shared {
  readonly key?: string
  readonly limit?: { readonly key: string; readonly max: number }
}

const NOTHING_SHARED: Shared = {}

/** Evaluates the business key and the limit of a step. Throws a `LogicError` for one that cannot be a key. */
export async function sharedBy(
  { outcomes, tree }: Advance,
  workflow: TreeRow,
  spec: StepSpec,
  logic: StepLogic,
  iteration: Iteration | undefined,
): Promise<Shared> {
  const { limit, keyed } = spec
  if (!limit && !keyed) return NOTHING_SHARED
  const keyOf = async (what: string, evaluate: StepLogic['key']) => {
    const key = await outcomes.evaluate(workflow, spec.key, what, (scope) => evaluate?.call(logic, scope, iteration))
    const problem = typeof key === 'string' ? idempotencyKeyProblem(key) : 'is no text'
    if (problem) throw new LogicError('MAPPING_FAILED', `The ${what} of step ${JSON.stringify(spec.key)} ${problem}`)
    return key as string
  }
  const scopeOf = (key: string) => (limit?.scope === 'run' ? `${showRunId(tree.root.id)} ${key}` : key)
  return {
    ...(keyed && { key: await keyOf('business key', logic.key) }),
    ...(limit && { limit: { key: scopeOf(await keyOf('limit key', logic.limitKey)), max: limit.max } }),
  }
}

/** Waits for a turn: the request goes out once this is committed, and is repeated by a sweep if it is lost. */
export function waitForTurn(advance: Advance, row: TreeRow, { key, limit }: Shared & { limit: object }): void {
  const { tree } = advance
  row.limitKey = limit.key
  row.wait = { kind: 'limit', limit: limit.key, max: limit.max, ...(key !== undefined && { key }) }
  row.startedAt ??= tree.nowMs
  tree.transition(row, 'WAITING', 'WAIT_BEGUN', { data: { waitsFor: row.wait } })
  advance.turnsWanted.push({ key: limit.key, runId: row.id, rootId: row.rootId, max: limit.max })
}

/**
 * Waits for the root run that has the same action and business key, whoever made it. It is submitted once this is committed,
 * and again by a sweep if that is lost: its id is computed, so that it is there once.
 */
export function waitForLinked(advance: Advance, row: TreeRow, key: string, params: unknown): void {
  const { tree } = advance
  row.linkedId = keyedRunId('ACTION', row.name, key)
  row.wait = { kind: 'run', runId: showRunId(row.linkedId), key }
  row.startedAt ??= tree.nowMs
  // where it waited for its turn before, it goes on waiting for something else
  if (row.status === 'WAITING') tree.touch(row)
  else tree.transition(row, 'WAITING', 'WAIT_BEGUN', { data: { waitsFor: row.wait } })
  const { id: rowId, rootId, linkedId, name } = row
  advance.links.push({ rowId, rootId, linkedId, name, key, params, known: knownOf(row) })
}

/**
 * The number of the event with which a shared run failed, and the step with it: a retry of the step is not content with
 * that. It is in a column that only lists, loops and workflows use otherwise, so that it outlasts crashes and pauses.
 */
function knownOf({ nextIndex }: TreeRow): number {
  return nextIndex ?? 0
}

/** Whether the step must not end as its linked run has, because it was retried since. */
export function isKnownFailure({ status, lastSeq }: Pick<RunRow, 'status' | 'lastSeq'>, known: number): boolean {
  return (status === 'FAILED' || status === 'CANCELED') && lastSeq <= known
}

/** The linked run has come to rest: the step ends as it did. */
export function linkedEnded(advance: Advance, row: TreeRow, linked: RunRow): void {
  const { tree } = advance
  if (row.status !== 'WAITING' || row.linkedId !== linked.id || !hasEnded(linked.status)) return
  if (isKnownFailure(linked, knownOf(row))) return
  if (linked.status === 'SUCCEEDED' || linked.status === 'SKIPPED') {
    const result = JSON.stringify(linked.result ?? null)
    tree.transition(row, 'SUCCEEDED', 'LINKED_RUN_SUCCEEDED', { resolved: 'live', result })
  } else {
    row.nextIndex = linked.lastSeq
    const { code, message } = linked.error ?? { code: linked.status, message: linked.status }
    failLinked(advance, row, logicError(code, message, { runId: showRunId(linked.id) }))
  }
  advance.rest(row)
}

/** The key names a run with other params. */
export function linkedMismatch(advance: Advance, row: TreeRow, linkedId: string): void {
  if (row.status !== 'WAITING' || row.linkedId !== linkedId) return
  const message = 'The business key already names a run with other params'
  failLinked(advance, row, logicError('IDEMPOTENCY_MISMATCH', message, { runId: showRunId(linkedId) }))
  advance.rest(row)
}

export function failLinked(advance: Advance, row: TreeRow, error: ReturnType<typeof logicError>): void {
  advance.tree.transition(row, 'FAILED', 'LINKED_RUN_FAILED', { error, ...advance.failureResolution(row) })
}
