/**
 * Errors that a handler throws to say what its failure means. Any other thrown value is a failure that may be retried.
 */

/** The failure is permanent: repeating the attempt cannot help (a declined card, an address that does not exist). */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError'
  /** A stable, upper-case code for programs; `NON_RETRYABLE` when absent. */
  readonly code: string
  readonly details: unknown

  constructor(message: string, options: { code?: string; details?: unknown; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = options.code ?? 'NON_RETRYABLE'
    this.details = options.details
  }
}

/**
 * The other side said when to come back (HTTP 429 or 503 with `Retry-After`). The next attempt starts no earlier, the
 * policy's `maxAttempts` and deadline still hold. For an `unsafe` action it also says that nothing was done.
 */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError'
  readonly code: string
  readonly details: unknown
  /** Milliseconds from now. */
  readonly retryAfterMs: number

  /** @param retryAfter milliseconds from now, or the moment itself. */
  constructor(
    message: string,
    retryAfter: number | Date,
    options: { code?: string; details?: unknown; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    const ms = typeof retryAfter === 'number' ? retryAfter : retryAfter.getTime() - Date.now()
    if (Number.isNaN(ms)) throw new TypeError('RetryAfterError: retryAfter is neither milliseconds nor a valid Date')
    this.retryAfterMs = Math.max(0, ms)
    this.code = options.code ?? 'RETRY_AFTER'
    this.details = options.details
  }
}

/**
 * The request was sent and its answer lost: the effect may or may not have happened. An `unsafe` action is then never
 * repeated by itself; for the other classes it is an ordinary failure, which a retry repairs.
 */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
  readonly code: string
  readonly details: unknown

  constructor(message: string, options: { code?: string; details?: unknown; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = options.code ?? 'OUTCOME_UNKNOWN'
    this.details = options.details
  }
}
