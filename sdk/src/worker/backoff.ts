import { DoError } from '../errors.ts'

const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 30_000

/**
 * Milliseconds to wait after `failures` in a row: doubling with full jitter, so that workers which lost a server together do not
 * come back together; no less than what the server asked for.
 */
export function delayAfter(error: unknown, failures: number, maxMs = MAX_DELAY_MS): number {
  const asked = error instanceof DoError ? error.retryAfterMs : undefined
  return Math.max(Math.random() * Math.min(maxMs, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 30)), asked ?? 0)
}
