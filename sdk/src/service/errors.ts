/** What a function throws to say what its failure means. Anything else that it throws is a failure that may be repeated. */

export interface FailureOptions {
  /** For programs, in capitals: becomes the code of the attempt's error. */
  code?: string
  /** Any JSON value, for programs. */
  details?: unknown
}

/** The failure is permanent: repeating cannot help. Answered with 422, and remembered under the key. */
export class ActionFailed extends Error {
  override readonly name = 'ActionFailed'
  readonly code: string
  readonly details: unknown

  /** @param options `code` is ACTION_FAILED when absent. */
  constructor(message: string, { code = 'ACTION_FAILED', details }: FailureOptions = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Nothing was done, and it can be done later. Answered with 503 and `Retry-After`. */
export class TryLater extends Error {
  override readonly name = 'TryLater'
  readonly code: string
  readonly details: unknown
  readonly retryAfterMs: number

  /** @param retryAfterMs milliseconds from now; on the wire, rounded up to seconds. */
  constructor(message: string, retryAfterMs: number, { code = 'TRY_LATER', details }: FailureOptions = {}) {
    super(message)
    this.code = code
    this.details = details
    this.retryAfterMs = retryAfterMs
  }
}
