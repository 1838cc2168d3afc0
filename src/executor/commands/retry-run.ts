import { byteLength, jsonIssues } from '../../core/json.ts'
import {
  ActionNotFoundError,
  InvalidInputError,
  InvalidParamsError,
  InvalidTransitionError,
  PayloadTooLargeError,
} from '../../core/request-errors.ts'
import type { RunStatus } from '../../core/status.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { RunRow } from '../../db/rows.ts'
import type { Executor } from '../executor.ts'
import { retryTree } from '../workflow/retry-tree.ts'
import { type ControlRequest, control, reasonData } from './control.ts'
import { checkParams } from './execute-action.ts'
import type { Executed } from './execution.ts'
import { stepNamed, stepOf } from './step-of.ts'

export interface RetryRequest extends ControlRequest {
  /** `key`, `key[2]`, or a path of them; null for the run itself. */
  readonly step: string | null
  /** Amended params; `undefined` keeps those of the run. */
  readonly params: unknown
  readonly newKey: boolean
}

const LEGAL_FROM = statesBefore('RETRY_REQUESTED')

/**
 * Runs a failed, canceled or indeterminate run again, in place: attempt numbers and events go on, the retry budget starts
 * afresh. Of a workflow one step, or all that hold it up; what depends on them runs again after them, what has succeeded is
 * kept. Amended params, or `newKey`, give the handler a new downstream key; else it passes on the same one.
 * Throws `InvalidTransitionError` for a run in another state.
 */
export async function retryRun(executor: Executor, request: RetryRequest, actor: string): Promise<Executed> {
  const { reason, params, newKey, step } = request
  const target = await stepOf(executor, request.id, step)
  if (target && (params !== undefined || newKey)) await checkAmended(executor, target, params)
  const amendment = { params: params === undefined ? undefined : JSON.stringify(params), newKey }
  const asked = {
    reason,
    newKey,
    amended: params !== undefined,
    params: params ?? null,
    ...(step !== null && { step }),
  }
  return control(executor, 'retry', request, asked, async (advance, row) => {
    const one = await stepNamed(advance, row, step)
    if (!LEGAL_FROM.includes(one.status)) throw notRetried(one, step, row)
    await retryTree(advance, one, { actor, ...reasonData(reason) }, amendment)
  })
}

/**
 * Says why, and what to do instead.
 * @param step of the run; null for the run itself.
 */
export function notRetried(
  { status }: Pick<RunRow, 'status'>,
  step: string | null,
  run: Pick<RunRow, 'kind' | 'parentId'>,
): InvalidTransitionError {
  return new InvalidTransitionError('retried', status, LEGAL_FROM, { step, hint: hintFor(status, step, run) })
}

function hintFor(
  status: RunStatus,
  step: string | null,
  { kind, parentId }: Pick<RunRow, 'kind' | 'parentId'>,
): string | undefined {
  if (status === 'PENDING') return 'It has not begun: if a step before it has failed, retry that one.'
  // only whole workflows are forked
  if (status !== 'SUCCEEDED' || kind !== 'WORKFLOW' || parentId !== null) return undefined
  if (step === null) return 'To do a part of it again, fork it: forkRun(fromStep: …).'
  // a fork begins at a step of the run's own graph
  const [own = step] = step.split(/[/[]/)
  return `To do it again, fork the run: forkRun(fromStep: ${JSON.stringify(own.slice(0, 100))}).`
}

async function checkAmended(executor: Executor, { name, kind }: RunRow, params: unknown): Promise<void> {
  if (kind !== 'ACTION') throw new InvalidInputError('params', 'and newKey go with a single action: name its step')
  if (params === undefined) return
  const action = executor.registry.get(name)
  if (action) return checkParams(action, params, executor.options.maxParamsBytes)
  const issues = jsonIssues(params)
  if (issues.length > 0) throw new InvalidParamsError(name, issues)
  const bytes = byteLength(JSON.stringify(params))
  if (bytes > executor.options.maxParamsBytes) throw new PayloadTooLargeError(bytes, executor.options.maxParamsBytes)
  throw new ActionNotFoundError(name, executor.registry.names())
}
