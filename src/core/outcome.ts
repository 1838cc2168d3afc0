import type { Effect } from './effect.ts'
import type { RunError } from './failure.ts'
import { backoffMs, MAX_DELAY_MS, type RetryPolicy } from './retry.ts'
import type { AttemptStatus, RunStatus } from './status.ts'
import type { EventReason } from './transitions.ts'

/** How an attempt came to its end. */
export type Outcome =
  /** The handler returned a valid result, as JSON text. */
  | { readonly kind: 'returned'; readonly result: string }
  /** The probe found that the lost effect had happened. */
  | { readonly kind: 'confirmed'; readonly result: string }
  /** The handler threw. */
  | { readonly kind: 'threw'; readonly error: RunError; readonly retryAfterMs?: number | undefined }
  /** Whether the effect happened is not known: the handler said so, or it was cut by its timeout. */
  | { readonly kind: 'unknown'; readonly error: RunError; readonly timedOut: boolean }
  /** The probe found that the effect had not happened, and the policy allows no further attempt. */
  | { readonly kind: 'exhausted'; readonly error: RunError }
  /** The probe could not tell, or the handler may still be at it: only a person can decide. */
  | { readonly kind: 'undecided'; readonly error: RunError; readonly timedOut?: boolean }
  /** The server stopped in good order, and the handler did not return in time. */
  | { readonly kind: 'stopped'; readonly error: RunError }
  /** The worker died or lost its lease. */
  | { readonly kind: 'lost'; readonly error: RunError }
  /** The worker was given the run, never heard of it, and gives it back. */
  | { readonly kind: 'not-started'; readonly error: RunError }

/** What is known about the run when its attempt ends. */
export interface AttemptFacts {
  readonly effect: Effect
  readonly hasProbe: boolean
  readonly retry: RetryPolicy
  /** Failures that the policy has counted so far, this attempt not included. */
  readonly failures: number
  /** Attempts cut by crashes so far, this one not included. */
  readonly losses: number
  /** So many lost attempts fail the run. */
  readonly maxLosses: number
  /** The attempt was to ask the probe first. */
  readonly probing: boolean
  /** It does nothing but wait for a word from outside: whatever ends its worker, it is not this run. */
  readonly waiting: boolean
  /** Durable time in milliseconds: now, and when the first attempt of this budget began. */
  readonly nowMs: number
  readonly budgetStartedMs: number
  /** In [0, 1): the jitter. */
  readonly random: number
}

/** What becomes of the run. Applied by one guarded statement. */
export interface Decision {
  readonly to: RunStatus
  readonly reason: EventReason
  readonly attemptStatus: Exclude<AttemptStatus, 'RUNNING'>
  readonly result: string | null
  /** Of the attempt, and of the run where it ends or waits with it. */
  readonly error: RunError | null
  /** Milliseconds until the run may go on; null where it does not wait for a time. */
  readonly delayMs: number | null
  readonly failures: number
  readonly losses: number
  /** The next worker asks the probe before it runs the handler. */
  readonly probe: boolean
}

/** What is left of an attempt once it is over. */
export interface EndedAttempt {
  readonly status: AttemptStatus
  /** Of its error. */
  readonly code: string | null
}

/**
 * Whether a handler was cut in the middle, by a crash or by a stop: it may have done something, and nobody knows. An attempt that was
 * given back before it began is told from it by its code.
 */
export function wasCut({ status, code }: EndedAttempt): boolean {
  return status === 'LOST' || (status === 'CANCELED' && code !== 'NOT_STARTED')
}

/** Decides what becomes of a run whose attempt has ended. Pure. */
export function decide(outcome: Outcome, facts: AttemptFacts): Decision {
  if (outcome.kind === 'returned') return succeeded('COMPLETED', outcome.result, facts)
  const { failures, losses } = facts
  const base = { result: null, error: null, delayMs: null, failures, losses, probe: false }
  switch (outcome.kind) {
    case 'confirmed':
      return succeeded('PROBE_CONFIRMED', outcome.result, facts)
    case 'threw':
      return afterFailure(outcome.error, outcome.retryAfterMs, 'FAILED', facts)
    case 'unknown': {
      const attemptStatus = outcome.timedOut ? 'TIMED_OUT' : 'FAILED'
      if (facts.effect !== 'unsafe') return afterFailure(outcome.error, undefined, attemptStatus, facts)
      return { ...base, ...unknownEffect(facts), attemptStatus, error: outcome.error, failures: failures + 1 }
    }
    case 'exhausted':
      return { ...base, to: 'FAILED', reason: 'RETRIES_EXHAUSTED', attemptStatus: 'FAILED', error: outcome.error }
    case 'undecided':
      return {
        ...base,
        to: 'INDETERMINATE',
        reason: 'OUTCOME_UNKNOWN',
        attemptStatus: outcome.timedOut ? 'TIMED_OUT' : 'FAILED',
        error: outcome.error,
      }
    case 'stopped': {
      const next = facts.effect === 'unsafe' ? unknownEffect(facts) : AGAIN_AFTER_STOP
      return { ...base, ...next, attemptStatus: 'CANCELED', error: outcome.error }
    }
    case 'not-started':
      return { ...base, ...BACK_IN_QUEUE, attemptStatus: 'CANCELED', error: outcome.error, probe: facts.probing }
    case 'lost':
      return afterLoss(outcome.error, facts)
  }
}

/** Every member is named, for this is decided most often: one literal is an object made at once. */
function succeeded(reason: EventReason, result: string, { failures, losses }: AttemptFacts): Decision {
  return {
    to: 'SUCCEEDED',
    reason,
    attemptStatus: 'SUCCEEDED',
    result,
    error: null,
    delayMs: null,
    failures,
    losses,
    probe: false,
  }
}

/** Nothing was done: neither a failure nor a loss. */
const BACK_IN_QUEUE = { to: 'QUEUED', reason: 'NOT_STARTED', delayMs: 0 } as const

const AGAIN_AFTER_STOP = { to: 'QUEUED', reason: 'WORKER_STOPPED', delayMs: 0 } as const

/** An unsafe effect is never repeated by itself: a probe decides, or an operator. */
function unknownEffect({ hasProbe }: AttemptFacts) {
  return hasProbe
    ? ({ to: 'QUEUED', reason: 'PROBE_NEEDED', delayMs: 0, probe: true } as const)
    : ({ to: 'INDETERMINATE', reason: 'OUTCOME_UNKNOWN' } as const)
}

function afterLoss(error: RunError, facts: AttemptFacts): Decision {
  const losses = facts.losses + (facts.waiting ? 0 : 1)
  const base = { result: null, error, delayMs: null, failures: facts.failures, losses, probe: false } as const
  const tooOften = losses >= facts.maxLosses
  // What kills its workers may be the probe itself: then a person decides.
  if (facts.effect === 'unsafe')
    return { ...base, ...unknownEffect({ ...facts, hasProbe: facts.hasProbe && !tooOften }), attemptStatus: 'LOST' }
  if (tooOften) return { ...base, to: 'FAILED', reason: 'LOST_TOO_OFTEN', attemptStatus: 'LOST' }
  return { ...base, to: 'QUEUED', reason: 'WORKER_LOST', attemptStatus: 'LOST', delayMs: 0 }
}

function afterFailure(
  error: RunError,
  retryAfterMs: number | undefined,
  attemptStatus: 'FAILED' | 'TIMED_OUT',
  facts: AttemptFacts,
): Decision {
  const failures = facts.failures + 1
  const base = {
    result: null,
    error,
    delayMs: null,
    failures,
    losses: facts.losses,
    probe: false,
    attemptStatus,
  } as const
  // An unsafe handler that throws has failed: only "come back later" says that nothing was done.
  const mayRepeat = error.retryable && (facts.effect !== 'unsafe' || retryAfterMs !== undefined)
  if (!mayRepeat) return { ...base, to: 'FAILED', reason: 'PERMANENT_FAILURE' }
  if (failures >= facts.retry.maxAttempts) return { ...base, to: 'FAILED', reason: 'RETRIES_EXHAUSTED' }
  const delayMs = Math.min(retryAfterMs ?? backoffMs(facts.retry.backoff, failures, facts.random), MAX_DELAY_MS)
  const { deadlineMs } = facts.retry
  if (deadlineMs !== undefined && facts.nowMs + delayMs > facts.budgetStartedMs + deadlineMs)
    return { ...base, to: 'FAILED', reason: 'DEADLINE_EXCEEDED' }
  return { ...base, to: 'SCHEDULED', reason: 'RETRY_SCHEDULED', delayMs }
}
