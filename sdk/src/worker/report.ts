import { DoError } from '../errors.ts'
import { NonRetryableError } from '../handler-errors.ts'
import { sleep } from '../time.ts'
import type { Attempt } from './attempt.ts'
import { delayAfter } from './backoff.ts'
import type { Calls } from './calls.ts'
import { failureReport } from './failure.ts'
import type { Report } from './wire.ts'

/** The attempt is not this worker's any more, or its run has been deleted: what became of it is no concern of this worker. */
const GONE: ReadonlySet<string> = new Set(['ATTEMPT_LOST', 'RUN_NOT_FOUND'])
/** The server will never take this report, however often it is sent. */
const REFUSED: ReadonlySet<string> = new Set(['INVALID_INPUT', 'BAD_USER_INPUT', 'PAYLOAD_TOO_LARGE'])

/**
 * Reports how an attempt ended, again and again until an answer stands or the attempt is revoked. What the server cannot take
 * is reported as a failure that says so. Never rejects.
 * @param failed is told of each failure to report; it revokes the attempt where there is no use in going on.
 */
export async function deliver(
  calls: Calls,
  workerId: string,
  attempt: Attempt,
  report: Report,
  failed: (error: unknown) => void,
): Promise<void> {
  let current: Report | undefined = report
  for (let failures = 1; current && !attempt.revoked.aborted; failures++) {
    try {
      return await send(calls, workerId, attempt, current)
    } catch (error) {
      if (attempt.revoked.aborted || (error instanceof DoError && GONE.has(error.code))) return
      failed(error)
      if (error instanceof DoError && REFUSED.has(error.code)) current = instead(current, error)
      else await sleep(delayAfter(error, failures), attempt.revoked)
    }
  }
}

function send(calls: Calls, workerId: string, attempt: Attempt, report: Report): Promise<void> {
  const about = { workerId, ...attempt.ref }
  if (report.kind === 'complete') {
    const { result, confirmed } = report
    return calls.complete({ ...about, result, confirmed }, attempt.revoked)
  }
  const { failure, error, retryAfterMs } = report
  return calls.fail({ ...about, failure, error, ...(retryAfterMs !== undefined && { retryAfterMs }) }, attempt.revoked)
}

/** What is said in the place of a report that the server refuses; of a failure it is said once more without its details. */
function instead(report: Report, { code, message }: DoError): Report | undefined {
  if (report.kind === 'complete')
    return failureReport(
      new NonRetryableError(`The server could not take the result: ${message}`, {
        code: code === 'PAYLOAD_TOO_LARGE' ? 'RESULT_TOO_LARGE' : 'NOT_STORABLE',
      }),
    )
  if (report.error.details === undefined) return undefined
  const { details: _, ...error } = report.error
  return { ...report, error }
}
