import { DoError } from './errors.ts'

/** The longest delay that setTimeout can do; beyond it, it fires at once. */
const MAX_TIMER_MS = 2_147_483_647
const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 10_000

/** Milliseconds on a clock that nobody sets. */
export const now = (): number => performance.now()

/**
 * Milliseconds to wait before the repetition after `failures` of them: doubling with full jitter, so that clients that
 * failed together do not come back together.
 */
export function backoffMs(failures: number): number {
  return Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
}

/** Reads `Retry-After`, seconds or a date, as milliseconds from now; undefined when absent or senseless. */
export function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** Ends after `ms`, or earlier without an error when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, Math.min(ms, MAX_TIMER_MS))
    if (signal?.aborted) wake()
    else signal?.addEventListener('abort', wake)
  })
}

/** The caller does not want the answer any more. */
export function aborted(signal: AbortSignal | undefined): DoError {
  return new DoError('ABORTED', 'the signal was aborted', { cause: signal?.reason })
}

/**
 * The outcome of `work`, unless `ms` go by (`elapsed` makes the error) or the signal aborts (`ABORTED`). The work itself is
 * not stopped by that, nor does its later failure disturb anybody.
 */
export function within<T>(
  work: Promise<T>,
  ms: number,
  signal: AbortSignal | undefined,
  elapsed: () => DoError,
): Promise<T> {
  let release = (): void => {}
  const decided = new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(aborted(signal))
    const timer = setTimeout(() => reject(elapsed()), Math.min(Math.max(0, ms), MAX_TIMER_MS))
    release = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort)
    work.then(resolve, reject)
  })
  // whatever decided: a timer left behind would keep the process alive
  return decided.finally(release)
}
