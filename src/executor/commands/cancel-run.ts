import { cancelRun as applyCancel } from '../../db/transitions/cancel-run.ts'
import type { Executor } from '../executor.ts'
import { type ControlRequest, control } from './control.ts'
import type { Executed } from './execution.ts'

/**
 * Ends a run that has not ended. A handler that is running learns of it through its `signal`; what it still does changes
 * nothing. Throws `InvalidTransitionError` for a run that has ended.
 */
export async function cancelRun(executor: Executor, request: ControlRequest, actor: string): Promise<Executed> {
  const { reason } = request
  const error = { code: 'CANCELED', message: reason ? `Canceled: ${reason}` : 'Canceled', retryable: false }
  const canceled = await control(executor, 'cancel', request, { reason }, (tx, locked) =>
    applyCancel(tx, locked, { error, actor, reason, offsetMs: executor.db.clock.offsetMs }),
  )
  executor.canceled(canceled.run)
  return canceled
}
