import type { Effect } from '../effect.ts'
import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../errors.ts'
import { backoffMs, type RetryPolicy } from '../retry.ts'
import type { Verdict } from './answer.ts'

/** A failure that the action's policy repeats. */
class HttpActionError extends Error {
  override readonly name = 'HttpActionError'
  readonly code: string
  readonly details: unknown

  constructor(message: string, { code, details, cause }: { code: string; details?: unknown; cause?: unknown }) {
    super(message, { cause })
    this.code = code
    this.details = details
  }
}

/** What decides what a failure means for a run. */
export interface Circumstances {
  readonly effect: Effect
  readonly retry: RetryPolicy
  readonly attempt: number
  /** In [0, 1): the jitter. */
  readonly random: number
}

type Failure = Exclude<Verdict, { kind: 'result' | 'accepted' }>

/** The error to throw for a failed call, so that the executor does with the run what the failure means. Pure. */
export function errorOf(failure: Failure, circumstances: Circumstances): Error {
  const { message, code, details } = failure
  if (failure.kind === 'permanent') return new NonRetryableError(message, { code, details })
  if (failure.kind === 'unclear') return new OutcomeUnknownError(message, { code, details })
  if (failure.nothingDone) return again(message, failure.retryAfterMs, { code, details }, circumstances)
  if (circumstances.effect === 'unsafe') return new OutcomeUnknownError(message, { code, details })
  return failure.retryAfterMs === undefined
    ? new HttpActionError(message, { code, details })
    : new RetryAfterError(message, failure.retryAfterMs, { code, details })
}

/** The error for a call that never left: nothing was done, so that even an unsafe one may be repeated. */
export function notSent(message: string, code: string, cause: unknown, circumstances: Circumstances): Error {
  return again(message, undefined, { code, details: undefined, cause }, circumstances)
}

function again(
  message: string,
  retryAfterMs: number | undefined,
  options: { code: string; details: unknown; cause?: unknown },
  { effect, retry, attempt, random }: Circumstances,
): Error {
  if (retryAfterMs !== undefined) return new RetryAfterError(message, retryAfterMs, options)
  // for an unsafe action, only an error that names a time says that nothing was done
  return effect === 'unsafe'
    ? new RetryAfterError(message, backoffMs(retry.backoff, attempt, random), options)
    : new HttpActionError(message, options)
}
