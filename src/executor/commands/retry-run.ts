import { parseRunId } from '../../core/ids.ts'
import { ActionNotFoundError, StepNotFoundError } from '../../core/request-errors.ts'
import { retryRun as applyRetry } from '../../db/transitions/retry-run.ts'
import type { Executor } from '../executor.ts'
import { type ControlRequest, control } from './control.ts'
import { checkParams, existingRun } from './execute-action.ts'
import type { Executed } from './execution.ts'

export interface RetryRequest extends ControlRequest {
  readonly step: string | null
  /** Amended params; `undefined` keeps those of the run. */
  readonly params: unknown
  readonly newKey: boolean
}

/**
 * Runs a failed, canceled or indeterminate run again, in place: attempt numbers and events go on, the retry budget starts
 * afresh. Amended params, or `newKey`, give the handler a new downstream key; else it passes on the same one.
 * Throws `InvalidTransitionError` for a run in another state.
 */
export async function retryRun(executor: Executor, request: RetryRequest, actor: string): Promise<Executed> {
  const { reason, params, newKey, step } = request
  if (step !== null) throw new StepNotFoundError(step)
  if (params !== undefined) await checkAmended(executor, request.id, params)
  const asked = { reason, newKey, amended: params !== undefined, params: params ?? null }
  return control(executor, 'retry', request, asked, (tx, locked) =>
    applyRetry(tx, locked, { actor, reason, params, newKey, offsetMs: executor.db.clock.offsetMs }),
  )
}

async function checkAmended(executor: Executor, shown: string, params: unknown): Promise<void> {
  const id = parseRunId(shown)
  // an id that names no run is refused by the command itself
  if (id === undefined) return
  const { name } = await existingRun(executor, id, shown)
  const action = executor.registry.get(name)
  if (!action) throw new ActionNotFoundError(name, executor.registry.names())
  await checkParams(action, params, executor.options.maxParamsBytes)
}
