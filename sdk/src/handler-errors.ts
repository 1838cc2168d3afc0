/** What a function throws to say what its failure means. Anything else that it throws is a failure that may be repeated. */

export interface FailureOptions {
  /** For programs, in capitals: becomes the code of the attempt's error. */
  code?: string
  /** Any JSON value, for programs. */
  details?: unknown
  cause?: unknown
}

abstract class HandlerError extends Error {
  readonly code: string
  readonly details: unknown

  constructor(message: string, defaultCode: string, { code = defaultCode, details, cause }: FailureOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** The failure is permanent: repeating cannot help (a declined card, an address that does not exist). */
export class NonRetryableError extends HandlerError {
  override readonly name: string = 'NonRetryableError'

  /** @param options `code` is NON_RETRYABLE when absent. */
  constructor(message: string, options: FailureOptions = {}) {
    super(message, 'NON_RETRYABLE', options)
  }
}

/**
 * It can be done later (HTTP 429 or 503 with `Retry-After`): the next attempt begins no earlier, and the action's policy still
 * holds. For an `unsafe` action it also says that nothing was done.
 */
export class RetryAfterError extends HandlerError {
  override readonly name: string = 'RetryAfterError'
  /** Milliseconds from now. */
  readonly retryAfterMs: number

  /**
   * Throws a `TypeError` where the time is none.
   * @param retryAfter milliseconds from now, or the moment itself.
   * @param options `code` is RETRY_AFTER when absent.
   */
  constructor(message: string, retryAfter: number | Date, options: FailureOptions = {}) {
    super(message, 'RETRY_AFTER', options)
    const ms = typeof retryAfter === 'number' ? retryAfter : retryAfter.getTime() - Date.now()
    if (Number.isNaN(ms)) throw new TypeError('RetryAfterError: retryAfter is neither milliseconds nor a valid Date')
    this.retryAfterMs = Math.max(0, ms)
  }
}

/**
 * A request was sent and its answer lost: the effect may or may not have happened. An `unsafe` action is then never repeated by
 * itself; for the others it is an ordinary failure.
 */
export class OutcomeUnknownError extends HandlerError {
  override readonly name: string = 'OutcomeUnknownError'

  /** @param options `code` is OUTCOME_UNKNOWN when absent. */
  constructor(message: string, options: FailureOptions = {}) {
    super(message, 'OUTCOME_UNKNOWN', options)
  }
}
