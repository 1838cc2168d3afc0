import { byteLength, jsonIssues } from '../../core/json.ts'
import {
  InvalidInputError,
  InvalidParamsError,
  InvalidTransitionError,
  PayloadTooLargeError,
} from '../../core/request-errors.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { Executor } from '../executor.ts'
import { cancelStep, cutAttempt, movingBelow } from '../workflow/cancel-tree.ts'
import { reviveAbove } from '../workflow/revive.ts'
import { type ControlRequest, control, reasonData } from './control.ts'
import type { Executed } from './execution.ts'
import { stepNamed, stepOf } from './step-of.ts'

export interface SkipRequest extends ControlRequest {
  readonly step: string
  /** What those after it get in the place of its result; null without. */
  readonly result: unknown
}

const LEGAL_FROM = statesBefore('SKIP_REQUESTED')

/**
 * Skips a step: those that depend on it go on, with the result given. A handler that is running is shut out. Throws
 * `InvalidTransitionError` for a step that has succeeded or was skipped, and for a failed one whose dependents have gone on.
 */
export async function skipStep(executor: Executor, request: SkipRequest, actor: string): Promise<Executed> {
  const { reason, step, result } = request
  checkResult(step, result, executor.options.maxResultBytes)
  await stepOf(executor, request.id, step)
  return control(executor, 'skip', request, { reason, step, result }, async (advance, run) => {
    const row = await stepNamed(advance, run, step)
    if (row === run) throw new InvalidInputError('step', 'is missing')
    if (!LEGAL_FROM.includes(row.status)) throw new InvalidTransitionError('skipped', row.status, LEGAL_FROM, { step })
    if (row.resolved !== null)
      throw new InvalidTransitionError('skipped', row.status, [], {
        step,
        hint: 'Those after it have heard of its end already.',
      })
    const change = { actor, ...reasonData(reason) }
    await reviveAbove(advance, row, change)
    for (const below of await movingBelow(advance.tree, row)) await cancelStep(advance, below, 'NOT_NEEDED', change)
    cutAttempt(advance, row, change)
    advance.tree.transition(row, 'SKIPPED', 'SKIP_REQUESTED', {
      ...change,
      resolved: 'live',
      result: JSON.stringify(result),
    })
    advance.tree.idle.delete(row)
    advance.rest(row)
  })
}

/** What an operator gives in the place of a result must be storable. */
export function checkResult(name: string, result: unknown, maxBytes: number): void {
  const issues = jsonIssues(result)
  if (issues.length > 0) throw new InvalidParamsError(name, issues, 'step')
  const bytes = byteLength(JSON.stringify(result))
  if (bytes > maxBytes) throw new PayloadTooLargeError(bytes, maxBytes)
}
