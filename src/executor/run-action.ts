import { NonRetryableError } from '../core/errors.ts'
import { chain, type Eventually, isPromise } from '../core/eventually.ts'
import { type FailureSignals, recordError, signalsOf } from '../core/failure.ts'
import { firstIssue } from '../core/json.ts'
import { type AttemptFacts, type Decision, decide, type Outcome } from '../core/outcome.ts'
import { copyOf, type RunRow } from '../db/rows.ts'
import { AttemptTimeout, RunRevoked, WorkerStopped } from './abort.ts'
import { askProbe, ProbeError } from './ask-probe.ts'
import type { Attempt } from './attempt.ts'
import { callHandler, StillRunning } from './call-handler.ts'
import type { HandlerContext } from './define-action.ts'
import { AttemptContext } from './handler-context.ts'
import { HeartbeatRecorder } from './heartbeat.ts'
import type { EndOutcome } from './persist.ts'
import { encodeResult } from './result.ts'
import { runInTransaction, Superseded } from './run-transactional.ts'
import { type Validated, validate } from './validate.ts'

/**
 * Executes one attempt of a run that this worker holds, and records how it ended. Answers with the run as it then stands;
 * `undefined` when it went to another hand, which changes nothing here.
 */
export async function runAction(attempt: Attempt): Promise<RunRow | undefined> {
  const timer = setTimeout(
    () => attempt.abort.abort(new AttemptTimeout(attempt.action.timeoutMs)),
    attempt.action.timeoutMs,
  )
  const heartbeat = new HeartbeatRecorder(attempt)
  try {
    const recorded = await executeAndRecord(attempt, heartbeat)
    return recorded && logged(attempt, heartbeat.shownOn(recorded))
  } finally {
    clearTimeout(timer)
  }
}

async function executeAndRecord(attempt: Attempt, heartbeat: HeartbeatRecorder): Promise<RunRow | undefined> {
  try {
    const parsed = parseParams(attempt)
    const params = isPromise(parsed) ? await parsed : parsed
    const context = new AttemptContext(attempt, params, heartbeat)
    const probed = attempt.run.probe ? await askProbe(attempt, context) : undefined
    if (probed) return await record(attempt, decide(probed, factsOf(attempt)))
    if (attempt.action.effect === 'transactional') return await executeInTransaction(attempt, context, heartbeat)
    const returning = callHandler(attempt, context)
    const returned = isPromise(returning) ? await returning : returning
    const beating = heartbeat.finish()
    if (beating) await beating
    const encoded = encodeResult(attempt.action, returned, attempt.options.maxResultBytes)
    const result = isPromise(encoded) ? await encoded : encoded
    return await record(attempt, decide({ kind: 'returned', result }, factsOf(attempt)))
  } catch (thrown) {
    if (thrown instanceof RunRevoked || thrown instanceof Superseded) return undefined
    await heartbeat.finish()
    return await record(attempt, decide(outcomeOf(thrown), factsOf(attempt)))
  }
}

/** The params were valid when the run was submitted; the action may have changed since. */
function parseParams({ run, action }: Attempt): Eventually<unknown> {
  return chain(validate(action.paramsSchema, run.params), (checked) => paramsOf(checked, run))
}

function paramsOf(checked: Validated, run: RunRow): unknown {
  if (checked.ok) return checked.value
  const { issues } = checked
  const misfit = new NonRetryableError(`The params do not fit the action: ${firstIssue(issues)}`, {
    code: 'INVALID_PARAMS',
    details: { issues },
  })
  // an effect that may have happened is not undone by a new schema
  throw run.probe ? new ProbeError('it cannot be asked', misfit) : misfit
}

async function executeInTransaction(
  attempt: Attempt,
  context: HandlerContext<unknown>,
  heartbeat: HeartbeatRecorder,
): Promise<RunRow> {
  const { row, decision } = await runInTransaction(attempt, context, async (result) => {
    await heartbeat.finish()
    return decide({ kind: 'returned', result }, factsOf(attempt))
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
    waiting: false,
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
    outcome = await ends.write(run, decision, giveUp, attempt.yieldSlot)
  } catch (refused) {
    if (giveUp.aborted) return undefined
    attempt.log.error({ err: refused }, 'the end of the attempt could not be stored')
    const message = 'What the handler left could not be stored in the database'
    const error = recordError(new NonRetryableError(message, { code: 'NOT_STORABLE' }))
    applied = decide({ kind: 'threw', error }, factsOf(attempt))
    outcome = await ends.write(run, applied, giveUp, attempt.yieldSlot)
  }
  return outcome.kind === 'ended' ? afterwards(run, applied, outcome.row) : undefined
}

/** The run as the database now has it, without reading it again. */
export function afterwards(run: RunRow, decision: Decision, { lastSeq, at }: { lastSeq: number; at: Date }): RunRow {
  const { to, result, error, delayMs, failures, losses, probe } = decision
  const after = copyOf(run)
  after.status = to
  after.result = result === null ? null : JSON.parse(result)
  after.error = to === 'FAILED' || to === 'INDETERMINATE' ? error : null
  after.availableAt = delayMs === null ? null : new Date(at.getTime() + delayMs)
  after.finishedAt = to === 'SUCCEEDED' || to === 'FAILED' ? at : null
  after.workerId = null
  after.failures = failures
  after.losses = losses
  after.probe = probe
  after.lastSeq = lastSeq
  return after
}

function logged(attempt: Attempt, run: RunRow): RunRow {
  const { status, error, availableAt } = run
  if (status !== 'SUCCEEDED')
    attempt.log.warn({ status, code: error?.code, error: error?.message, availableAt }, 'the attempt did not succeed')
  else if (attempt.logsSuccess) attempt.log.debug('succeeded')
  return run
}
