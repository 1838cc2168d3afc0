import { NonRetryableError } from '../handler-errors.ts'
import { sleep } from '../time.ts'
import type { Attempt } from './attempt.ts'
import type { ServedAction } from './configure.ts'
import { failureReport, ProbeError, StillRunning } from './failure.ts'
import type { WorkerPhase } from './options.ts'
import { AttemptTimeout, LeaseLost, RunRevoked, WorkerStopped } from './reasons.ts'
import { checkedResult } from './result.ts'
import { check, firstIssue } from './schema.ts'
import type { Report } from './wire.ts'

/** How long an unsafe function may take to heed its `signal`. */
const UNSAFE_SETTLE_MS = 2_000

type Tell = (error: unknown, phase: WorkerPhase) => void

/**
 * Executes one attempt and says how it ended. Never rejects. Whether that is reported is another matter: the attempt may have been
 * revoked meanwhile.
 * @param tell is told of what the functions throw.
 */
export async function execute(attempt: Attempt, action: ServedAction, tell: Tell): Promise<Report> {
  const { timeoutMs } = attempt.claimed
  const timer = setTimeout(() => attempt.cut(new AttemptTimeout(timeoutMs)), timeoutMs)
  try {
    return attempt.claimed.operation === 'COMPENSATE'
      ? await undo(attempt, action, tell)
      : await perform(attempt, action, tell)
  } catch (thrown) {
    return failureReport(thrown)
  } finally {
    clearTimeout(timer)
    attempt.settle()
  }
}

async function perform(attempt: Attempt, action: ServedAction, tell: Tell): Promise<Report> {
  const { claimed, signal, heartbeat } = attempt
  const { idempotencyKey, runId, attempt: number, lastHeartbeat } = claimed
  const params = await parseParams(attempt, action)
  const looking = { params, idempotencyKey, runId, signal }
  if (claimed.probe) {
    const found = await askProbe(attempt, action, () => action.probe?.(looking), tell)
    if (found) return found
  }
  const context = { ...looking, attempt: number, heartbeat, lastHeartbeat: lastHeartbeat ?? undefined }
  const result = await callRun(attempt, action, () => action.run(context))
    .then((returned) => checkedResult(action.result, returned))
    .catch((thrown) => told(thrown, 'run', tell))
  return { kind: 'complete', result, confirmed: false }
}

/** The params fitted when the run was submitted; this worker may be older or newer. */
async function parseParams({ claimed }: Attempt, action: ServedAction): Promise<unknown> {
  const checked = await check(action.params, claimed.params ?? null)
  if (!checked.issues) return checked.value
  const { issues } = checked
  const misfit = new NonRetryableError(`The params do not fit the action: ${firstIssue(issues)}`, {
    code: 'INVALID_PARAMS',
    details: { issues },
  })
  // an effect that may have happened is not undone by a new schema
  throw claimed.probe ? new ProbeError('it cannot be asked', misfit) : misfit
}

/** The outcome of an earlier attempt was lost. `undefined`: the effect did not happen, and the function may run. */
async function askProbe(
  attempt: Attempt,
  action: ServedAction,
  ask: () => ReturnType<NonNullable<ServedAction['probe']>> | undefined,
  tell: Tell,
): Promise<Report | undefined> {
  if (!action.probe) throw new ProbeError('the action has no probe any more')
  try {
    const verdict = await attempt.race(ask)
    if (verdict?.outcome === 'succeeded')
      return { kind: 'complete', result: await checkedResult(action.result, verdict.result), confirmed: true }
    if (verdict?.outcome !== 'not-executed') throw new ProbeError('nobody can tell')
  } catch (thrown) {
    if (isOurs(thrown, WorkerStopped, RunRevoked, LeaseLost, ProbeError)) throw thrown
    if (!isOurs(thrown, AttemptTimeout)) tell(thrown, 'probe')
    throw new ProbeError('the probe failed', thrown)
  }
  if (!attempt.claimed.lastAttempt) return undefined
  const none = new ProbeError('it did not happen, and no attempts are left')
  return { ...failureReport(none), failure: 'NOT_EXECUTED' }
}

/**
 * Calls the function. An `unsafe` one that is cut is given a moment to come to its end: the probe must not be asked, and nobody may
 * begin again, while it is still at it.
 */
async function callRun(attempt: Attempt, action: ServedAction, run: () => unknown): Promise<unknown> {
  let begun: Promise<unknown> | undefined
  try {
    return await attempt.race(() => {
      begun = (async () => run())()
      return begun
    })
  } catch (thrown) {
    const cut = isOurs(thrown, AttemptTimeout, WorkerStopped) && attempt.signal.reason === thrown
    if (action.effect !== 'unsafe' || !cut || !begun || (await settles(begun, attempt.revoked))) throw thrown
    throw new StillRunning(thrown as Error)
  }
}

async function settles(work: Promise<unknown>, revoked: AbortSignal): Promise<boolean> {
  const done = new AbortController()
  const end = (): void => done.abort()
  work.then(end, end)
  revoked.addEventListener('abort', end, { once: true })
  await sleep(UNSAFE_SETTLE_MS, done.signal)
  return done.signal.aborted
}

async function undo(attempt: Attempt, action: ServedAction, tell: Tell): Promise<Report> {
  const { claimed, signal } = attempt
  const { idempotencyKey, runId, attempt: number, result } = claimed
  const params = await parseParams(attempt, action)
  const { compensate } = action
  if (!compensate) throw new NonRetryableError('This worker cannot undo the action', { code: 'NOT_COMPENSABLE' })
  const context = { params, result: result ?? null, idempotencyKey, runId, attempt: number, signal }
  await attempt.race(() => compensate(context)).catch((thrown) => told(thrown, 'compensate', tell))
  return { kind: 'complete', result: null, confirmed: false }
}

/** Why the worker cut a function is no error of that function. */
function told(thrown: unknown, phase: WorkerPhase, tell: Tell): never {
  if (!isOurs(thrown, AttemptTimeout, WorkerStopped, RunRevoked, LeaseLost, StillRunning)) tell(thrown, phase)
  throw thrown
}

function isOurs(thrown: unknown, ...classes: readonly (new (...args: never[]) => Error)[]): boolean {
  try {
    return classes.some((each) => thrown instanceof each)
  } catch {
    // a proxy may refuse even to say its class
    return false
  }
}
