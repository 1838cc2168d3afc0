/**
 * The codes that the server and this client give by themselves. A run that failed brings the code of its own handler, so
 * any other string is possible.
 */
export type ErrorCode =
  | 'ACTION_NOT_FOUND'
  | 'WORKFLOW_NOT_FOUND'
  | 'RUN_NOT_FOUND'
  | 'STEP_NOT_FOUND'
  | 'INVALID_PARAMS'
  | 'INVALID_DEFINITION'
  | 'INVALID_INPUT'
  | 'INVALID_IDEMPOTENCY_KEY'
  | 'IDEMPOTENCY_MISMATCH'
  | 'INVALID_TRANSITION'
  | 'PERMISSION_DENIED'
  | 'RATE_LIMITED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNAUTHENTICATED'
  | 'WORKER_NOT_FOUND'
  | 'ATTEMPT_LOST'
  | 'SERVICE_UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR'
  // how a run ended, where its own error says nothing more
  | 'CANCELED'
  | 'INDETERMINATE'
  | 'COMPENSATED'
  | 'SKIPPED'
  | 'FAILED'
  // made by this client
  | 'TIMEOUT'
  | 'NETWORK_ERROR'
  | 'BAD_RESPONSE'
  | 'ABORTED'
  // keeps the completion of the known ones
  | (string & {})

/** One thing that is wrong with the params, or with a workflow's definition. */
export interface Issue {
  /** Where in it, as `user.emails.0`; empty for the whole. */
  readonly path: string
  readonly message: string
}

interface DoErrorInit {
  retryable?: boolean | undefined
  runId?: string | undefined
  idempotencyKey?: string | undefined
  issues?: readonly Issue[] | undefined
  details?: unknown
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** What went wrong. Calls return it as `error`; only `run.watch` throws it. It is an `Error`, so `throw error` is fine too. */
export class DoError extends Error {
  readonly code: ErrorCode
  /**
   * Trying again may succeed: with `runId` the run exists, so go on with that (`run.retry`, `run.wait`); without one repeat
   * the call with this error's `idempotencyKey`, so that it cannot execute twice.
   */
  readonly retryable: boolean
  /** The run concerned, as far as it is known. */
  readonly runId: string | undefined
  /** The key that the call was sent with, also when the client made it. */
  readonly idempotencyKey: string | undefined
  /** What is wrong with the params or the definition, for `INVALID_PARAMS` and `INVALID_DEFINITION`. */
  readonly issues: readonly Issue[] | undefined
  /** A failed run's own details; `{ status }` for `INVALID_TRANSITION`, `{ path }` for `INVALID_INPUT`. */
  readonly details: unknown
  /** Milliseconds that the server asked to stay away. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, init: DoErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = code
    this.retryable = init.retryable ?? false
    this.runId = init.runId
    this.idempotencyKey = init.idempotencyKey
    this.issues = init.issues
    this.details = init.details
    this.retryAfterMs = init.retryAfterMs
  }

  /** An Error's message is not enumerable and would be missing from logs. */
  toJSON(): object {
    return { ...this, message: this.message }
  }
}

Object.defineProperty(DoError.prototype, 'name', { value: 'DoError', configurable: true, writable: true })

/** The same error with what the caller of the transport knows besides. */
export function withContext(error: DoError, context: Pick<DoErrorInit, 'runId' | 'idempotencyKey'>): DoError {
  return new DoError(error.code, error.message, {
    ...error,
    cause: error.cause,
    runId: error.runId ?? context.runId,
    idempotencyKey: error.idempotencyKey ?? context.idempotencyKey,
  })
}

/** Turns a thrown `DoError` into the failed answer; anything else is a fault of this client and goes on being thrown. */
export function returned(error: unknown): DoError {
  if (error instanceof DoError) return error
  throw error
}
