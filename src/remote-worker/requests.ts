import { type RunError, recordError } from '../core/failure.ts'
import { parseRunId } from '../core/ids.ts'
import { byteLength, jsonIssues } from '../core/json.ts'
import type { AttemptFailure } from '../core/remote-worker/failure.ts'
import { InvalidInputError, RunNotFoundError } from '../core/request-errors.ts'
import { checkWait } from '../executor/commands/check-request.ts'
import { MAX_PROGRESS_BYTES } from '../executor/heartbeat.ts'
import type { EndedRun } from './ends.ts'
import type { Handed } from './hand-over.ts'
import type { Renewed } from './leases.ts'
import type { RemoteWorkers } from './remote-workers.ts'

/** What workers ask for, as it comes from outside: checked here, and done by `RemoteWorkers`. */

const MAX_LIMIT = 1_000
/** Proxies cut requests that are open for longer. */
const MAX_WAIT_MS = 60_000

type Maybe<T> = T | null | undefined

/** An attempt, with the run's id as people see it. */
interface ShownAttempt {
  readonly runId: string
  readonly attempt: number
}

interface OfWorker {
  readonly workerId: string
}

interface ClaimInput extends OfWorker {
  readonly names: readonly string[]
  readonly limit: number
  readonly waitMs?: Maybe<number>
  readonly holding?: Maybe<readonly ShownAttempt[]>
}

/** @throws WorkerNotFoundError, InvalidInputError */
export async function claimRuns(
  workers: RemoteWorkers,
  { workerId, names, limit, waitMs, holding }: ClaimInput,
  signal: AbortSignal | undefined,
): Promise<Handed[]> {
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidInputError('limit', `is ${limit}; it must be 1 to ${MAX_LIMIT}`)
  const request = { workerId, names, limit, waitMs: checkedWait(waitMs), signal }
  return await workers.claim(request, holding ? attemptNames(holding) : undefined)
}

interface RenewInput extends OfWorker {
  readonly attempts: readonly (ShownAttempt & { readonly heartbeat?: unknown })[]
  readonly waitMs?: Maybe<number>
}

/** @throws WorkerNotFoundError, InvalidInputError */
export async function renewLeases(
  workers: RemoteWorkers,
  { workerId, attempts, waitMs }: RenewInput,
  signal: AbortSignal | undefined,
): Promise<Renewed> {
  for (const [index, { heartbeat }] of attempts.entries()) checkProgress(heartbeat, `attempts.${index}.heartbeat`)
  return await workers.renew({ workerId, attempts: attemptNames(attempts), waitMs: checkedWait(waitMs), signal })
}

interface CompleteInput extends OfWorker, ShownAttempt {
  readonly result?: unknown
  readonly confirmed?: Maybe<boolean>
}

/** @throws RunNotFoundError, AttemptLostError */
export async function completeAttempt(workers: RemoteWorkers, input: CompleteInput): Promise<EndedRun> {
  const { workerId, result = null, confirmed } = input
  return await workers.end(workerId, attemptName(input), { kind: 'completed', result, confirmed: confirmed ?? false })
}

interface FailInput extends OfWorker, ShownAttempt {
  readonly failure?: Maybe<AttemptFailure>
  readonly error: ShownError
  readonly retryAfterMs?: Maybe<number>
}

interface ShownError {
  readonly code?: Maybe<string>
  readonly message: string
  readonly retryable?: Maybe<boolean>
  readonly details?: unknown
}

/** @throws RunNotFoundError, AttemptLostError, InvalidInputError */
export async function failAttempt(workers: RemoteWorkers, input: FailInput): Promise<EndedRun> {
  const { workerId, failure, error, retryAfterMs } = input
  if (typeof retryAfterMs === 'number' && !(retryAfterMs >= 0))
    throw new InvalidInputError('retryAfterMs', `is ${retryAfterMs}; it must be 0 or more`)
  return await workers.end(workerId, attemptName(input), {
    kind: 'failed',
    failure: failure ?? 'FAILED',
    error: asRecorded(error),
    retryAfterMs: retryAfterMs ?? undefined,
  })
}

/** Answers with how many runs the worker had. */
export async function stopWorker(
  workers: RemoteWorkers,
  { workerId, holding }: OfWorker & { readonly holding?: Maybe<readonly ShownAttempt[]> },
): Promise<number> {
  return await workers.stopWorker(workerId, holding ? attemptNames(holding) : undefined)
}

/** Bounded and storable, like what a handler throws. */
function asRecorded({ code, message, retryable, details }: ShownError): RunError {
  return { ...recordError({ code, message, details }), retryable: retryable ?? true }
}

function checkedWait(waitMs: Maybe<number>): number {
  const ms = waitMs ?? 0
  checkWait(ms, MAX_WAIT_MS)
  return ms
}

function checkProgress(progress: unknown, path: string): void {
  if (progress === undefined) return
  const [issue] = jsonIssues(progress)
  if (issue) throw new InvalidInputError(path, issue.message)
  if (byteLength(JSON.stringify(progress)) > MAX_PROGRESS_BYTES)
    throw new InvalidInputError(path, `takes more than ${MAX_PROGRESS_BYTES} bytes as JSON`)
}

function attemptName({ runId: shown, attempt }: ShownAttempt): ShownAttempt {
  const runId = parseRunId(shown)
  if (runId === undefined) throw new RunNotFoundError(shown)
  return { runId, attempt }
}

/** What names no run is no attempt of anybody. */
function attemptNames<T extends ShownAttempt>(shown: readonly T[]): T[] {
  return shown.flatMap((each) => {
    const runId = parseRunId(each.runId)
    return runId === undefined ? [] : [{ ...each, runId }]
  })
}
