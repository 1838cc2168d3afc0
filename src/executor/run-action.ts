import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { NonRetryableError } from '../core/errors.ts'
import { type FailureSignals, type RunError, recordError, signalsOf, tangible } from '../core/failure.ts'
import { downstreamKey, showRunId } from '../core/ids.ts'
import { type AttemptFacts, type Decision, decide, type Outcome } from '../core/outcome.ts'
import type { Database } from '../db/client.ts'
import type { RunRow } from '../db/rows.ts'
import { AttemptTimeout, RunRevoked, WorkerStopped } from './abort.ts'
import type { HandlerContext } from './define-action.ts'
import { HeartbeatRecorder } from './heartbeat.ts'
import type { ExecutorOptions } from './options.ts'
import type { AttemptEnds, EndOutcome } from './persist.ts'
import type { RegisteredAction } from './registry.ts'
import { encodeResult } from './result.ts'
import { runInTransaction, Superseded } from './run-transactional.ts'
import { validate } from './validate.ts'

/** What the pipeline of an attempt works with. */
export interface Attempt {
  readonly run: RunRow
  readonly action: RegisteredAction
  /** Aborts the handler: timeout, cancel, lost lease, stop. */
  readonly abort: AbortController
  /** Aborted when even the record of the attempt's end is given up: the process is about to exit. */
  readonly giveUp: AbortSignal
  readonly db: Database
  readonly ends: AttemptEnds
  readonly options: ExecutorOptions
  readonly log: Logger
}

/**
 * Executes one attempt of a run that this worker holds, and records how it ended. Answers with the run as it then stands;
 * `undefined` when it went to another hand, which changes nothing here.
 */
export async function runAction(attempt: Attempt): Promise<RunRow | undefined> {
  const timer = setTimeout(
    () => attempt.abort.abort(new AttemptTimeout(attempt.action.timeoutMs)),
    attempt.action.timeoutMs,
  )
  const heartbeat = new HeartbeatRecorder(attempt.db, attempt.run, attempt.log)
  try {
    const recorded = await executeAndRecord(attempt, heartbeat)
    return recorded && logged(attempt, heartbeat.shownOn(recorded))
  } finally {
    clearTimeout(timer)
  }
}

async function executeAndRecord(attempt: Attempt, heartbeat: HeartbeatRecorder): Promise<RunRow | undefined> {
  try {
    const params = await parseParams(attempt)
    const context = contextOf(attempt, params, heartbeat)
    const probed = attempt.run.probe ? await askProbe(attempt, context) : undefined
    if (probed) return await record(attempt, decide(probed, factsOf(attempt)))
    if (attempt.action.effect === 'transactional') return await executeInTransaction(attempt, context, heartbeat)
    const returned = await callHandler(attempt, context)
    await heartbeat.finish()
    const result = await encodeResult(attempt.action, returned, attempt.options.maxResultBytes)
    return await record(attempt, decide({ kind: 'returned', result }, factsOf(attempt)))
  } catch (thrown) {
    if (thrown instanceof RunRevoked || thrown instanceof Superseded) return undefined
    await heartbeat.finish()
    return await record(attempt, decide(outcomeOf(thrown), factsOf(attempt)))
  }
}

/** The params were valid when the run was submitted; the action may have changed since. */
async function parseParams({ run, action }: Attempt): Promise<unknown> {
  const checked = await validate(action.paramsSchema, run.params)
  if (checked.ok) return checked.value
  const { issues } = checked
  const misfit = new NonRetryableError('The params do not fit the action any more', {
    code: 'INVALID_PARAMS',
    details: { issues },
  })
  // an effect that may have happened is not undone by a new schema
  throw run.probe ? new ProbeError('it cannot be asked', misfit) : misfit
}

function contextOf(
  { run, abort, log }: Attempt,
  params: unknown,
  heartbeat: HeartbeatRecorder,
): HandlerContext<unknown> {
  return {
    params,
    idempotencyKey: downstreamKey(run.id, run.generation),
    runId: showRunId(run.id),
    attempt: run.attempt,
    signal: abort.signal,
    log,
    heartbeat: (progress) => heartbeat.beat(progress),
    lastHeartbeat: run.heartbeat ?? undefined,
  }
}

/** The handler's answer, or the reason of the abort, whichever comes first. */
function untilAborted<T>(signal: AbortSignal, call: () => T | Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const aborted = () => reject(signal.reason)
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })
    Promise.resolve()
      .then(call)
      .then(resolve, (thrown) => reject(tangible(thrown)))
      .finally(() => signal.removeEventListener('abort', aborted))
  })
}

/**
 * Calls the handler. An `unsafe` one that is cut is given a moment to come to its end: the probe must not be asked, and
 * nobody may begin again, while it is still at it.
 */
async function callHandler(attempt: Attempt, context: HandlerContext<unknown>): Promise<unknown> {
  const { action, abort, giveUp } = attempt
  const handler = Promise.resolve().then(() => action.run(context as never))
  try {
    return await untilAborted(abort.signal, () => handler)
  } catch (thrown) {
    const cut = thrown instanceof AttemptTimeout || thrown instanceof WorkerStopped
    if (action.effect !== 'unsafe' || !cut || (await settles(handler, UNSAFE_SETTLE_MS, giveUp))) throw thrown
    throw new StillRunning(thrown)
  }
}

/** How long an unsafe handler may take to heed its `signal`. */
const UNSAFE_SETTLE_MS = 2_000

/** An unsafe handler that was cut goes on: what it will have done, nobody knows. */
class StillRunning extends Error {
  readonly cut: Error
  constructor(cut: Error) {
    super('The handler goes on after it was cut')
    this.cut = cut
  }
}

function settles(work: Promise<unknown>, ms: number, giveUp: AbortSignal): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  )
  const late = sleep(ms, false, { signal: giveUp, ref: false }).catch(() => false)
  return Promise.race([settled, late])
}

/**
 * The outcome of an earlier attempt was lost. `undefined`: the effect did not happen, and the handler may run.
 */
async function askProbe(attempt: Attempt, context: HandlerContext<unknown>): Promise<Outcome | undefined> {
  const { action, run, options } = attempt
  const undecided = (error: RunError): Outcome => ({ kind: 'undecided', error })
  if (!action.probe) return undecided(recordError(new ProbeError('the action has no probe any more')))
  try {
    const verdict = await untilAborted(attempt.abort.signal, () => action.probe?.(context))
    switch (verdict?.outcome) {
      case 'succeeded':
        return { kind: 'confirmed', result: await encodeResult(action, verdict.result, options.maxResultBytes) }
      case 'not-executed':
        if (run.failures < action.retry.maxAttempts) return undefined
        return { kind: 'exhausted', error: recordError(new ProbeError('it did not happen, and no attempts are left')) }
      default:
        return undecided(recordError(new ProbeError('nobody can tell')))
    }
  } catch (thrown) {
    if (thrown instanceof RunRevoked || thrown instanceof WorkerStopped) throw thrown
    return undecided(recordError(new ProbeError('the probe failed', thrown)))
  }
}

class ProbeError extends Error {
  readonly code = 'OUTCOME_UNKNOWN'
  constructor(found: string, cause?: unknown) {
    super(`The outcome of an attempt was lost; of its effect the probe says: ${found}`, { cause })
  }
}

async function executeInTransaction(
  attempt: Attempt,
  context: HandlerContext<unknown>,
  heartbeat: HeartbeatRecorder,
): Promise<RunRow> {
  const { row, decision } = await runInTransaction(attempt, context, untilAborted, async (result) => {
    await heartbeat.finish()
    return { ...decide({ kind: 'returned', result }, factsOf(attempt)), ...identity(attempt.run) }
  })
  return afterwards(attempt.run, decision, row)
}

function outcomeOf(thrown: unknown): Outcome {
  const error = recordError(thrown)
  if (thrown instanceof AttemptTimeout) return { kind: 'unknown', error, timedOut: true }
  if (thrown instanceof WorkerStopped) return { kind: 'stopped', error }
  if (thrown instanceof StillRunning)
    return { kind: 'undecided', error: recordError(thrown.cut), timedOut: thrown.cut instanceof AttemptTimeout }
  if (thrown instanceof ProbeError) return { kind: 'undecided', error }
  const signals: FailureSignals = signalsOf(thrown)
  if (signals.outcomeUnknown) return { kind: 'unknown', error, timedOut: false }
  return { kind: 'threw', error, retryAfterMs: signals.retryAfterMs }
}

function factsOf({ run, action, options, db }: Attempt): AttemptFacts {
  const nowMs = db.clock.nowMs()
  return {
    effect: action.effect,
    hasProbe: action.probe !== undefined,
    retry: action.retry,
    failures: run.failures,
    losses: run.losses,
    maxLosses: options.maxLosses,
    probing: run.probe,
    nowMs,
    budgetStartedMs: run.budgetStartedAt?.getTime() ?? nowMs,
    random: Math.random(),
  }
}

/** Writes the decision. What the database refuses to store is a permanent failure that says so. */
async function record(attempt: Attempt, decision: Decision): Promise<RunRow | undefined> {
  const { ends, giveUp, run } = attempt
  let applied = decision
  let outcome: EndOutcome
  try {
    outcome = await ends.write({ ...decision, ...identity(run) }, giveUp)
  } catch (refused) {
    if (giveUp.aborted) return undefined
    attempt.log.error({ err: refused }, 'the end of the attempt could not be stored')
    const message = 'What the handler left could not be stored in the database'
    const error = recordError(new NonRetryableError(message, { code: 'NOT_STORABLE' }))
    applied = decide({ kind: 'threw', error }, factsOf(attempt))
    outcome = await ends.write({ ...applied, ...identity(run) }, giveUp)
  }
  return outcome.kind === 'ended' ? afterwards(run, applied, outcome.row) : undefined
}

function identity({ bucket, id, fence }: RunRow) {
  return { bucket, id, fence }
}

/** The run as the database now has it, without reading it again. */
function afterwards(run: RunRow, decision: Decision, { lastSeq, at }: { lastSeq: number; at: Date }): RunRow {
  const { to, result, error, delayMs, failures, losses, probe } = decision
  return {
    ...run,
    status: to,
    result: result === null ? null : JSON.parse(result),
    error: to === 'FAILED' || to === 'INDETERMINATE' ? error : null,
    availableAt: delayMs === null ? null : new Date(at.getTime() + delayMs),
    finishedAt: to === 'SUCCEEDED' || to === 'FAILED' ? at : null,
    workerId: null,
    failures,
    losses,
    probe,
    lastSeq,
  }
}

function logged({ log }: Attempt, run: RunRow): RunRow {
  const { status, error, availableAt } = run
  if (status === 'SUCCEEDED') log.debug('succeeded')
  else log.warn({ status, code: error?.code, error: error?.message, availableAt }, 'the attempt did not succeed')
  return run
}
