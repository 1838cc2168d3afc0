import type { RunMutation } from './documents.ts'
import { DoError, withContext } from './errors.ts'
import { newKey } from './key.ts'
import { acceptedRun, isSettled } from './outcome.ts'
import { now, sleep } from './time.ts'
import type { Transport } from './transport.ts'
import type { Run } from './types.ts'

/** The longest that one request asks the server to wait: proxies cut requests that are open for longer. */
const SLICE_MS = 30_000
/** What the last answer gets to arrive in, before the time is up. */
const MARGIN_MS = 1_000
/** Between two requests, when the server answers earlier than it was asked to and the run has not ended. */
const PAUSE_MS = 500

export interface Submission {
  readonly input: Readonly<Record<string, unknown>>
  /** Absent: one is made. The same key goes out with every repetition and every slice. */
  readonly idempotencyKey: string | undefined
  readonly signal: AbortSignal | undefined
  /** How long to wait for the outcome in all; undefined for a mutation that does not wait. */
  readonly waitMs: number | undefined
}

export interface Accepted<R> {
  readonly run: Run<R>
  readonly replayed: boolean
  /** What ended the wait early, after the run had been recorded: it goes on all the same. */
  readonly interrupted: DoError | undefined
}

/**
 * Sends a mutation that starts or changes a run and waits for the outcome as long as asked. Throws a `DoError` with the
 * key when nothing is known to have been recorded.
 */
export async function submit<R>(
  transport: Transport,
  mutation: RunMutation,
  submission: Submission,
): Promise<Accepted<R>> {
  const idempotencyKey = submission.idempotencyKey ?? newKey()
  const { deadline, left } = timeFor(submission.waitMs ?? 0, transport.config.timeout)
  const slice = (): number => Math.round(Math.min(SLICE_MS, left()))
  const operation = {
    document: mutation.document,
    variables: () => ({
      input: { ...submission.input, idempotencyKey, ...(submission.waitMs !== undefined && { waitMs: slice() }) },
    }),
    serverWaits: slice,
  }
  let accepted: Accepted<R> | undefined
  try {
    for (;;) {
      const asked = slice()
      const sent = now()
      const { run, replayed } = acceptedRun<R>(
        await transport.request(operation, { deadline, signal: submission.signal }),
        mutation.field,
      )
      // under a key made here it was this call that did it, even when the answer that said so got lost
      const first = submission.idempotencyKey === undefined ? false : replayed
      accepted = { run, replayed: accepted?.replayed ?? first, interrupted: undefined }
      if (isSettled(run.status) || slice() === 0) return accepted
      if (now() - sent < asked) await sleep(Math.min(PAUSE_MS, left()), submission.signal)
    }
  } catch (error) {
    if (!(error instanceof DoError)) throw error
    const known = withContext(error, { idempotencyKey, runId: accepted?.run.id })
    if (!accepted) throw known
    return { ...accepted, interrupted: known }
  }
}

/** When the call is over, and how many milliseconds the server may still wait for the outcome. */
function timeFor(waitMs: number, timeout: number): { deadline: number; left: () => number } {
  if (!(waitMs >= 0)) throw new DoError('INVALID_INPUT', `waitMs is ${waitMs}; it must be 0 or more`)
  const started = now()
  const deadline = started + Math.max(waitMs, timeout)
  const until = Math.min(started + waitMs, deadline - Math.min(MARGIN_MS, timeout / 10))
  return { deadline, left: () => Math.max(0, until - now()) }
}
