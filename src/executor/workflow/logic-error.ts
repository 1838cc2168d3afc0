import { type RunError, recordError } from '../../core/failure.ts'

/** The workflow's own logic failed: a mapper threw, a condition is no boolean, a value is no JSON. */
export class LogicError extends Error {
  readonly code: string
  readonly details: unknown

  constructor(code: string, message: string, details?: unknown, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.details = details
  }

  static of(what: string, thrown: unknown): LogicError {
    if (thrown instanceof LogicError) return thrown
    return new LogicError('MAPPING_FAILED', `The ${what} threw: ${recordError(thrown).message}`, undefined, thrown)
  }

  /** As it is recorded. Permanent: the same logic fails again. */
  recorded(): RunError {
    return { ...recordError(this), retryable: false }
  }
}
