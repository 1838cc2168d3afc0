import { idempotencyKeyProblem } from '../../core/idempotency.ts'
import { InvalidIdempotencyKeyError, InvalidInputError } from '../../core/request-errors.ts'
import type { ActionRequest } from './execution.ts'

/** The longest that one request may wait for an outcome. */
const MAX_WAIT_MS = 300_000
const DAY_MS = 86_400_000
/** A moment this far in the past is a mistake, not a late call. */
const MAX_PAST_MS = DAY_MS
const MAX_FUTURE_MS = 36_525 * DAY_MS
const MAX_PRIORITY = 1_000

/** What no action decides. Throws `InvalidIdempotencyKeyError` or `InvalidInputError`. */
export function checkBounds({ idempotencyKey, priority }: ActionRequest): void {
  if (idempotencyKey !== null) {
    const problem = idempotencyKeyProblem(idempotencyKey)
    if (problem) throw new InvalidIdempotencyKeyError(problem)
  }
  if (Math.abs(priority) > MAX_PRIORITY)
    throw new InvalidInputError('priority', `is ${priority}; it must be -${MAX_PRIORITY} to ${MAX_PRIORITY}`)
}

/** @param maxMs the longest that the request may wait. */
export function checkWait(waitMs: number, maxMs = MAX_WAIT_MS): void {
  if (waitMs < 0 || waitMs > maxMs)
    throw new InvalidInputError('waitMs', `is ${waitMs}; it must be 0 to ${maxMs} milliseconds`)
}

/** A delayed start must be within reason. */
export function checkRunAt({ runAt }: Pick<ActionRequest, 'runAt'>, nowMs: number): void {
  if (runAt === null) return
  const inMs = runAt.getTime() - nowMs
  if (inMs < -MAX_PAST_MS)
    throw new InvalidInputError('runAt', 'is more than a day in the past; leave it out to run now')
  if (inMs > MAX_FUTURE_MS) throw new InvalidInputError('runAt', 'is more than a hundred years in the future')
}
