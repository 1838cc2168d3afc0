import { chain, type Eventually, isPromise } from '../../core/eventually.ts'
import { fingerprintHex } from '../../core/idempotency.ts'
import { bucketOf, keyedRunId, newRunId } from '../../core/ids.ts'
import { byteLength, jsonIssues } from '../../core/json.ts'
import {
  ActionNotFoundError,
  IdempotencyMismatchError,
  InvalidParamsError,
  PayloadTooLargeError,
  RateLimitedError,
  RunNotFoundError,
} from '../../core/request-errors.ts'
import type { RunRow } from '../../db/rows.ts'
import type { NewRun } from '../../db/transitions/submit-runs.ts'
import type { Executor } from '../executor.ts'
import type { Place } from '../place.ts'
import type { RegisteredAction } from '../registry.ts'
import { type Submission, whileUnavailable } from '../submissions.ts'
import { validate } from '../validate.ts'
import { checkBounds, checkRunAt, checkWait } from './check-request.ts'
import type { ActionRequest, ExecuteAction, Executed } from './execution.ts'
import { freshRun } from './fresh-run.ts'
import { recordedEarlier } from './recorded-earlier.ts'

/**
 * Executes an action: records the run under its key, once, and waits for the outcome. The same key and params again answer
 * with the run as it stands, or attach to it while it is in flight, on whatever node.
 * Throws a `RequestError` when nothing was recorded, `ServiceUnavailableError` when the database stays away.
 */
export async function executeAction(executor: Executor, request: ExecuteAction, actor: string): Promise<Executed> {
  checkBounds(request)
  checkWait(request.waitMs)
  try {
    return await submitAndWait(executor, await describeRun(executor, request, actor), request.waitMs)
  } catch (refused) {
    const earlier = await recordedEarlier(executor, request, request.waitMs, refused)
    if (earlier) return earlier
    throw refused
  }
}

async function submitAndWait(executor: Executor, described: DescribedRun, waitMs: number): Promise<Executed> {
  const wait = executor.waits.listen(described.row.id)
  try {
    const { run, replayed } = await submitOrAttach(executor, described)
    return { run: await wait.settled(run, waitMs), replayed }
  } finally {
    wait.close()
  }
}

/** A request that was found good, and the run that it asks for. */
export interface DescribedRun {
  readonly action: RegisteredAction
  readonly row: NewRun
}

/** Throws the `RequestError` that refuses the request. */
export async function describeRun(executor: Executor, request: ActionRequest, actor: string): Promise<DescribedRun> {
  const { name, params, idempotencyKey, runAt, priority } = request
  checkRunAt(request, executor.db.clock.nowMs())
  const action = executor.registry.get(name)
  if (!action) throw new ActionNotFoundError(name, executor.registry.names())
  const checking = checkParams(action, params, executor.options.maxParamsBytes)
  if (isPromise(checking)) await checking
  const id = idempotencyKey === null ? newRunId() : keyedRunId('ACTION', action.name, idempotencyKey)
  const later = runAt !== null && runAt.getTime() > executor.db.clock.nowMs()
  const row: NewRun = {
    bucket: bucketOf(id),
    id,
    kind: 'ACTION',
    name: action.name,
    version: action.version,
    effect: action.effect,
    idempotencyKey,
    fingerprint: fingerprintHex(params),
    params,
    status: later ? 'SCHEDULED' : 'QUEUED',
    priority,
    workerId: null,
    runAt: later ? runAt : null,
    actor,
  }
  return { action, row }
}

/** What a run is given must be storable, within the limit, and fit the action's schema. */
export function checkParams(action: RegisteredAction, params: unknown, maxBytes: number): Eventually<void> {
  const issues = jsonIssues(params)
  if (issues.length > 0) throw new InvalidParamsError(action.name, issues)
  const bytes = byteLength(JSON.stringify(params))
  if (bytes > maxBytes) throw new PayloadTooLargeError(bytes, maxBytes)
  return chain(validate(action.paramsSchema, params), (checked) => {
    if (!checked.ok) throw new InvalidParamsError(action.name, checked.issues)
  })
}

export async function submitOrAttach(executor: Executor, described: DescribedRun): Promise<Executed> {
  const { action, row } = described
  for (;;) {
    const submitted = await executor.submissions.once(row.id, () => submit(executor, action, row))
    if (submitted) return { run: submitted, replayed: false }
    const existing = await attach(executor, row)
    if (existing) return existing
  }
}

/**
 * Answers with the run that exists; throws when it is another request's. `undefined`: it is gone between the two statements: only
 * retention does that, and then the key is free.
 */
export async function attach(executor: Executor, row: NewRun): Promise<Executed | undefined> {
  const existing = await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(row.id))
  if (!existing) return undefined
  if (existing.fingerprint.toString('hex') !== row.fingerprint) throw new IdempotencyMismatchError(existing.id)
  // without a key nobody else can have made this run: the answer to the insert was lost, and it was repeated
  return { run: existing, replayed: row.idempotencyKey !== null }
}

/** Inserts the run: RUNNING where this node has room, else into the queue. `undefined`: it exists. */
async function submit(executor: Executor, action: RegisteredAction, row: NewRun): Promise<RunRow | undefined> {
  const place = row.status === 'QUEUED' ? executor.reserve(action) : undefined
  if (place) return submitRunning(executor, place, action, row)
  const { submissions, gauge, options } = executor
  const insert = () => submissions.submit(row)
  const entered = () => whileUnavailable(options.unavailableMs, () => gauge.enter(row.name, insert))
  const submission = await (row.status === 'QUEUED' ? entered() : insert())
  if (submission) return announced(executor, await inserted(executor, row, submission))
  // A replay needs no room in the queue.
  if (row.idempotencyKey !== null && (await executor.waits.read(row.id))) return undefined
  throw new RateLimitedError(row.name, options.queueLimit)
}

function submitRunning(
  executor: Executor,
  place: Place,
  action: RegisteredAction,
  row: NewRun,
): Promise<RunRow | undefined> {
  const running = runningAt(place, row)
  return launching(executor, place, action, running, executor.submissions.submit(running))
}

/** The row of a run that a worker has room for. Every member is named: see `copyOf`. */
export function runningAt(place: Place, row: NewRun): NewRun {
  return {
    bucket: row.bucket,
    id: row.id,
    kind: row.kind,
    name: row.name,
    version: row.version,
    effect: row.effect,
    idempotencyKey: row.idempotencyKey,
    fingerprint: row.fingerprint,
    params: row.params,
    status: 'RUNNING',
    priority: row.priority,
    workerId: place.id,
    runAt: row.runAt,
    actor: row.actor,
  }
}

/** Executes what was inserted under a reservation, or gives the reservation back. */
export async function launching(
  executor: Executor,
  place: Place,
  action: RegisteredAction,
  row: NewRun,
  submission: Promise<Submission>,
): Promise<RunRow | undefined> {
  let launched = false
  try {
    const run = announced(executor, await inserted(executor, row, await submission, place))
    if (run?.status === 'RUNNING') {
      launched = true
      place.launchReserved(run, action)
    }
    return run
  } finally {
    if (!launched) place.release(action)
  }
}

/** The run that a submission made; `undefined` where it existed. */
export function inserted(
  executor: Executor,
  row: NewRun,
  submission: Submission,
  place?: Place,
): Eventually<RunRow | undefined> {
  if (submission.inserted) return freshRun(row, submission.inserted)
  return submission.repeated && place ? ownAfterLostAnswer(executor, place, row) : undefined
}

export function announced(executor: Executor, run: RunRow | undefined): RunRow | undefined {
  if (!run) return undefined
  executor.announce(run)
  if (run.status === 'SCHEDULED') executor.scheduled()
  return run
}

/**
 * An insert that was repeated because its answer was lost may find its own row. One that was inserted RUNNING has been
 * given to a worker that does not execute it: it must go on there, or nobody would until the lease ends.
 */
async function ownAfterLostAnswer({ waits }: Executor, place: Place, row: NewRun): Promise<RunRow | undefined> {
  if (row.status !== 'RUNNING' || place.holds(row.id)) return undefined
  const existing = await waits.read(row.id)
  // lastSeq 1: as it was inserted, not claimed from the queue meanwhile
  const own = existing?.status === 'RUNNING' && existing.workerId === row.workerId && existing.lastSeq === 1
  return own && !place.holds(row.id) ? existing : undefined
}

/** Reads a run by its UUID; throws `RunNotFoundError`. */
export async function existingRun(executor: Executor, id: string, shown: string): Promise<RunRow> {
  const run = await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(id))
  if (!run) throw new RunNotFoundError(shown)
  return run
}
