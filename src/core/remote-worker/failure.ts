import type { RunError } from '../failure.ts'
import type { Outcome } from '../outcome.ts'

/** What a worker may say of an attempt that did not succeed. */
export const ATTEMPT_FAILURES = [
  'FAILED',
  'TIMED_OUT',
  'OUTCOME_UNKNOWN',
  'UNDECIDED',
  'NOT_EXECUTED',
  'STOPPED',
  'NOT_STARTED',
] as const
export type AttemptFailure = (typeof ATTEMPT_FAILURES)[number]

export const ATTEMPT_FAILURE_MEANINGS: Record<AttemptFailure, string> = {
  FAILED: 'The function threw. It is executed again if `error.retryable` and the retry policy say so.',
  TIMED_OUT: 'It took too long and was cut: of an unsafe effect nobody knows whether it happened.',
  OUTCOME_UNKNOWN: 'The function says that it does not know whether its effect happened.',
  UNDECIDED: 'The probe could not tell, or the function goes on after it was cut: a person decides.',
  NOT_EXECUTED: 'The probe says that the effect of an earlier attempt did not happen, and no attempt is left.',
  STOPPED: 'The worker stops and cut the function. Of an unsafe effect nobody knows whether it happened.',
  NOT_STARTED: 'The function was never called: the run goes back to the queue as it was.',
}

/**
 * How an attempt came to its end, by the word of its worker.
 * @param exhausted no further attempt is left.
 */
export function outcomeOfFailure(
  failure: AttemptFailure,
  error: RunError,
  retryAfterMs: number | undefined,
  exhausted: boolean,
): Outcome {
  switch (failure) {
    case 'FAILED':
      return { kind: 'threw', error, retryAfterMs }
    case 'TIMED_OUT':
      return { kind: 'unknown', error, timedOut: true }
    case 'OUTCOME_UNKNOWN':
      return { kind: 'unknown', error, timedOut: false }
    case 'UNDECIDED':
      return { kind: 'undecided', error }
    case 'NOT_EXECUTED':
      // where attempts are left, it is known to be safe to begin the next one
      return exhausted ? { kind: 'exhausted', error } : { kind: 'threw', error, retryAfterMs: retryAfterMs ?? 0 }
    case 'STOPPED':
      return { kind: 'stopped', error }
    case 'NOT_STARTED':
      // the code of such an attempt tells that it did nothing (`wasCut`): it is not the worker's to choose
      return { kind: 'not-started', error: { ...error, code: 'NOT_STARTED' } }
  }
}
