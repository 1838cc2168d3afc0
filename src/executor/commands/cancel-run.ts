import { InvalidTransitionError } from '../../core/request-errors.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { Executor } from '../executor.ts'
import { cancelStep } from '../workflow/cancel-tree.ts'
import { type ControlRequest, control, reasonData } from './control.ts'
import type { Executed } from './execution.ts'

/**
 * Ends a run that has not ended, with everything below it. Handlers that are running learn of it through their `signal`; what
 * they still do changes nothing. Throws `InvalidTransitionError` for a run that has ended.
 */
export async function cancelRun(executor: Executor, request: ControlRequest, actor: string): Promise<Executed> {
  const { reason } = request
  const error = { code: 'CANCELED', message: reason ? `Canceled: ${reason}` : 'Canceled', retryable: false }
  const legalFrom = statesBefore('CANCEL_REQUESTED')
  return control(executor, 'cancel', request, { reason }, async (advance, row) => {
    if (!legalFrom.includes(row.status)) throw new InvalidTransitionError('canceled', row.status, legalFrom)
    await cancelStep(advance, row, 'CANCEL_REQUESTED', { error, actor, ...reasonData(reason) })
  })
}
