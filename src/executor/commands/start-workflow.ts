import { isObject } from '../../core/definition/members.ts'
import { withoutSchema } from '../../core/definition/read-definition.ts'
import { fingerprint, idempotencyKeyProblem } from '../../core/idempotency.ts'
import { bucketOf, keyedRunId, newRunId } from '../../core/ids.ts'
import { byteLength, jsonIssues } from '../../core/json.ts'
import {
  IdempotencyMismatchError,
  InvalidIdempotencyKeyError,
  InvalidInputError,
  InvalidParamsError,
  PayloadTooLargeError,
  RequestError,
  WorkflowNotFoundError,
} from '../../core/request-errors.ts'
import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { RunRow } from '../../db/rows.ts'
import type { NewRoot } from '../../db/tree/insert-roots.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'
import type { Advance } from '../workflow/advance.ts'
import { beginWorkflow } from '../workflow/begin-workflow.ts'
import { graphQueue } from '../workflow/queues.ts'
import { checkRunAt, checkWait } from './check-request.ts'
import { acceptDefinition, nameIn } from './define-workflow.ts'
import type { Executed } from './execution.ts'

/** A call of `startWorkflow`, with the defaults filled in. One of `name` and `definition` is given. */
export interface StartWorkflow {
  readonly name: string | null
  readonly definition: unknown
  readonly params: unknown
  readonly idempotencyKey: string | null
  readonly waitMs: number
  readonly runAt: Date | null
}

/**
 * Starts a workflow: records the run with its steps, once for its key, and lets what depends on nothing begin. The same key
 * and params again answer with the run as it stands. Throws a `RequestError` when nothing was recorded.
 */
export async function startWorkflow(executor: Executor, request: StartWorkflow, actor: string): Promise<Executed> {
  checkBounds(request)
  try {
    checkRunAt(request, executor.db.clock.nowMs())
    const compiled = await graphOf(executor, request)
    await checkParams(executor, compiled, request.params)
    return await recordAndWait(executor, compiled, request, actor)
  } catch (refused) {
    const earlier = refused instanceof RequestError ? await recordedEarlier(executor, request) : undefined
    if (earlier) return earlier
    throw refused
  }
}

function checkBounds({ name, definition, idempotencyKey, waitMs }: StartWorkflow): void {
  if (idempotencyKey !== null) {
    const problem = idempotencyKeyProblem(idempotencyKey)
    if (problem) throw new InvalidIdempotencyKeyError(problem)
  }
  checkWait(waitMs)
  if ((name === null) === (definition === undefined || definition === null))
    throw new InvalidInputError('name', 'and definition: give one of them, and only one')
}

async function graphOf(executor: Executor, { name, definition }: StartWorkflow): Promise<CompiledGraph> {
  const { graphs } = executor.workflows
  if (name === null) {
    const compiled = await acceptDefinition(executor, definition)
    await whileUnavailable(executor.options.unavailableMs, () => graphs.add(compiled))
    return compiled
  }
  // a name that Postgres cannot store names nothing
  const compiled = await whileUnavailable(executor.options.unavailableMs, async () =>
    jsonIssues(name).length > 0 ? undefined : graphs.current(name),
  )
  if (!compiled) {
    const known = await graphs.list()
    throw new WorkflowNotFoundError(
      name,
      known.map(({ graph }) => graph.name),
    )
  }
  return compiled
}

async function checkParams(executor: Executor, compiled: CompiledGraph, params: unknown): Promise<void> {
  const { name } = compiled.graph
  const issues = jsonIssues(params)
  if (issues.length > 0) throw new InvalidParamsError(name, issues, 'workflow')
  const bytes = byteLength(JSON.stringify(params))
  const { maxParamsBytes } = executor.options
  if (bytes > maxParamsBytes) throw new PayloadTooLargeError(bytes, maxParamsBytes)
  const checked = await executor.workflows.graphs.logic(compiled)?.checkParams(params)
  if (checked && !checked.ok) throw new InvalidParamsError(name, checked.issues, 'workflow')
}

/** Params and definition together: with another definition it is another request. What is for editors makes no difference. */
function fingerprintOf({ definition, params }: StartWorkflow): Buffer {
  if (definition === undefined || definition === null) return fingerprint(params)
  return fingerprint({ definition: isObject(definition) ? withoutSchema(definition) : definition, params })
}

function runIdOf({ name, definition, idempotencyKey }: StartWorkflow): string {
  if (idempotencyKey === null) return newRunId()
  return keyedRunId('WORKFLOW', name ?? nameIn(definition), idempotencyKey)
}

async function recordAndWait(
  executor: Executor,
  compiled: CompiledGraph,
  request: StartWorkflow,
  actor: string,
): Promise<Executed> {
  const id = runIdOf(request)
  const wait = executor.waits.listen(id)
  try {
    const recorded = await record(executor, compiled, request, id, actor)
    const run = (recorded && wait.told()) || (await readRun(executor, id))
    // without a key nobody else can have made it: an answer was lost on the way, and the call repeated
    const replayed = !recorded && request.idempotencyKey !== null
    if (replayed && !run.fingerprint.equals(fingerprintOf(request))) throw new IdempotencyMismatchError(id)
    return { run: await wait.settled(run, request.waitMs), replayed }
  } finally {
    wait.close()
  }
}

/** False: the run was there. */
async function record(
  executor: Executor,
  compiled: CompiledGraph,
  request: StartWorkflow,
  id: string,
  actor: string,
): Promise<boolean> {
  const { runAt } = request
  const create: NewRoot = {
    bucket: bucketOf(id),
    id,
    name: compiled.graph.name,
    version: compiled.graph.version,
    graph: compiled.hash,
    idempotencyKey: request.idempotencyKey,
    fingerprint: fingerprintOf(request).toString('hex'),
    params: request.params,
    priority: 0,
  }
  const outcome = await executor.workflows.commits.submit({
    rootId: id,
    create,
    rows: () => [],
    apply: (advance) => begin(advance, compiled, runAt, actor),
  })
  return outcome.kind === 'applied'
}

async function begin(advance: Advance, compiled: CompiledGraph, runAt: Date | null, actor: string): Promise<void> {
  const { tree, host } = advance
  const { root } = tree
  const queue = graphQueue(compiled)
  if (runAt !== null && runAt.getTime() > tree.nowMs) {
    root.availableAt = runAt.getTime()
    root.queue = queue
    tree.create(root, 'SCHEDULED', 'DELAYED', { actor, data: { availableAt: runAt.toISOString() } })
    advance.timed = true
  } else if (host.logic(compiled)) await beginWorkflow(advance, root, compiled, { actor })
  else {
    root.availableAt = tree.nowMs
    root.queue = queue
    tree.create(root, 'QUEUED', 'SUBMITTED', { actor })
    advance.queued.add(queue)
  }
}

async function readRun(executor: Executor, id: string): Promise<RunRow> {
  const run = await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(id))
  if (!run) throw new Error(`run ${id} was recorded, and is gone`)
  return run
}

/** The run that the same request has made before, though it would be refused now. */
async function recordedEarlier(executor: Executor, request: StartWorkflow): Promise<Executed | undefined> {
  if (request.idempotencyKey === null || jsonIssues([request.params, request.definition ?? null]).length > 0)
    return undefined
  const id = runIdOf(request)
  const wait = executor.waits.listen(id)
  try {
    const run = await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(id))
    if (!run?.fingerprint.equals(fingerprintOf(request))) return undefined
    return { run: await wait.settled(run, request.waitMs), replayed: true }
  } finally {
    wait.close()
  }
}
