/**
 * Errors that a handler throws to say what its failure means. Any other thrown value is a failure that may be repeated.
 */

export interface HandlerErrorOptions {
  /** A stable, upper-case code for programs. */
  code?: string
  /** Any JSON value, for programs. */
  details?: unknown
  cause?: unknown
}

abstract class HandlerError extends Error {
  readonly code: string
  readonly details: unknown

  constructor(message: string, defaultCode: string, { code = defaultCode, details, cause }: HandlerErrorOptions) {
    super(message, { cause })
    this.code = code
    this.details = details
  }
}

/** The failure is permanent: repeating the attempt cannot help (a declined card, an address that does not exist). */
export class NonRetryableError extends HandlerError {
  override readonly name = 'NonRetryableError'

  /** @param options `code` is NON_RETRYABLE when absent. */
  constructor(message: string, options: HandlerErrorOptions = {}) {
    super(message, 'NON_RETRYABLE', options)
  }
}

/**
 * The other side said when to come back (HTTP 429 or 503 with `Retry-After`). The next attempt starts no earlier, the
 * policy's `maxAttempts` and deadline still hold. For an `unsafe` action it also says that nothing was done.
 */
export class RetryAfterError extends HandlerError {
  override readonly name = 'RetryAfterError'
  /** Milliseconds from now. */
  readonly retryAfterMs: number

  /**
   * @param retryAfter milliseconds from now, or the moment itself.
   * @param options `code` is RETRY_AFTER when absent.
   */
  constructor(message: string, retryAfter: number | Date, options: HandlerErrorOptions = {}) {
    super(message, 'RETRY_AFTER', options)
    const ms = typeof retryAfter === 'number' ? retryAfter : retryAfter.getTime() - Date.now()
    if (Number.isNaN(ms)) throw new TypeError('RetryAfterError: retryAfter is neither milliseconds nor a valid Date')
    this.retryAfterMs = Math.max(0, ms)
  }
}

/**
 * The request was sent and its answer lost: the effect may or may not have happened. An `unsafe` action is then never
 * repeated by itself; for the other classes it is an ordinary failure, which a retry repairs.
 */
export class OutcomeUnknownError extends HandlerError {
  override readonly name = 'OutcomeUnknownError'

  /** @param options `code` is OUTCOME_UNKNOWN when absent. */
  constructor(message: string, options: HandlerErrorOptions = {}) {
    super(message, 'OUTCOME_UNKNOWN', options)
  }
}
