/** How an action's failures are repeated. Pure: the caller passes the time and the chance in. */

export interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly initialMs: number
  /** Each further wait is this many times longer. */
  readonly factor: number
  /** No wait is longer than this many milliseconds. */
  readonly maxMs: number
  /** Full jitter: wait a random time between 0 and the computed one, so that clients that failed together do not return together. */
  readonly jitter: boolean
}

export interface RetryPolicy {
  /** Attempts in all, the first included; attempts cut by a crash do not count. */
  readonly maxAttempts: number
  readonly backoff: Backoff
  /** Milliseconds from the first attempt's start after which no further attempt begins; absent: no deadline. */
  readonly deadlineMs?: number
}

/** What `action({ retry })` takes: any part of a policy. */
export interface RetryOptions {
  maxAttempts?: number
  backoff?: Partial<Backoff>
  deadlineMs?: number
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  backoff: { initialMs: 500, factor: 2, maxMs: 60_000, jitter: true },
}

/** The database counts failures in 16 bits. */
const MAX_ATTEMPTS = 32_767

/** Ten years: no wait is longer, whatever a policy or a `Retry-After` says, so that every due time is a date. */
export const MAX_DELAY_MS = 3_660 * 86_400_000

/** Fills in the defaults. Throws a `RangeError` that names the member when a value makes no sense. */
export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  const backoff = { ...DEFAULT_RETRY.backoff, ...options.backoff }
  const maxAttempts = options.maxAttempts ?? DEFAULT_RETRY.maxAttempts
  const check = (ok: boolean, member: string, given: unknown, allowed: string) => {
    if (!ok) throw new RangeError(`retry.${member} is ${String(given)}; it must be ${allowed}`)
  }
  check(
    Number.isSafeInteger(maxAttempts) && maxAttempts >= 1 && maxAttempts <= MAX_ATTEMPTS,
    'maxAttempts',
    maxAttempts,
    `a whole number of 1 to ${MAX_ATTEMPTS}`,
  )
  for (const member of ['initialMs', 'maxMs'] as const)
    check(Number.isFinite(backoff[member]) && backoff[member] >= 0, `backoff.${member}`, backoff[member], '0 or more')
  check(Number.isFinite(backoff.factor) && backoff.factor >= 1, 'backoff.factor', backoff.factor, '1 or more')
  check(typeof backoff.jitter === 'boolean', 'backoff.jitter', backoff.jitter, 'true or false')
  if (options.deadlineMs === undefined) return { maxAttempts, backoff }
  const { deadlineMs } = options
  check(Number.isFinite(deadlineMs) && deadlineMs > 0, 'deadlineMs', deadlineMs, 'more than 0; absent: no deadline')
  return { maxAttempts, backoff, deadlineMs }
}

/**
 * Milliseconds to wait after the `failures`-th counted failure (1 or more).
 * Exponential backoff with full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @param random a number in [0, 1).
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  // bounded, for 0 times Infinity would be no number
  const growth = Math.min(backoff.factor ** (failures - 1), Number.MAX_VALUE)
  const ceiling = Math.min(backoff.maxMs, backoff.initialMs * growth)
  return Math.floor(backoff.jitter ? ceiling * random : ceiling)
}
