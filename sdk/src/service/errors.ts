import { type FailureOptions, NonRetryableError, RetryAfterError } from '../handler-errors.ts'

/** The failure is permanent: repeating cannot help. Answered with 422, and remembered under the key. */
export class ActionFailed extends NonRetryableError {
  override readonly name = 'ActionFailed'

  /** @param options `code` is ACTION_FAILED when absent. */
  constructor(message: string, options: FailureOptions = {}) {
    super(message, { code: 'ACTION_FAILED', ...options })
  }
}

/** Nothing was done, and it can be done later. Answered with 503 and `Retry-After`. */
export class TryLater extends RetryAfterError {
  override readonly name = 'TryLater'

  /** @param retryAfterMs milliseconds from now; on the wire, rounded up to seconds. */
  constructor(message: string, retryAfterMs: number, options: FailureOptions = {}) {
    super(message, retryAfterMs, { code: 'TRY_LATER', ...options })
  }
}
