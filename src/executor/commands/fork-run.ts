import { fingerprint, idempotencyKeyProblem } from '../../core/idempotency.ts'
import { bucketOf, keyedRunId, newRunId, showRunId } from '../../core/ids.ts'
import {
  IdempotencyMismatchError,
  InvalidIdempotencyKeyError,
  InvalidInputError,
  InvalidTransitionError,
  RequestError,
  RunNotFoundError,
  StepNotFoundError,
} from '../../core/request-errors.ts'
import { isWhole, type RunStatus } from '../../core/status.ts'
import { ancestorsOf, type CompiledGraph, cancelersOf, descendantsOf } from '../../core/workflow/graph.ts'
import { stepsOf as readSteps } from '../../db/reads/steps.ts'
import type { RunRow } from '../../db/rows.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'
import { beginWorkflow } from '../workflow/begin-workflow.ts'
import type { ControlRequest } from './control.ts'
import { existingRun } from './execute-action.ts'
import type { Executed } from './execution.ts'
import { stepOf } from './step-of.ts'

/** What was canceled runs again where what made it superfluous does, for that may turn out otherwise. */
const KEPT: ReadonlySet<RunStatus> = new Set<RunStatus>(['SUCCEEDED', 'SKIPPED', 'FAILED', 'COMPENSATED'])

export interface ForkRequest extends ControlRequest {
  readonly fromStep: string
}

/**
 * Starts a new run of the same graph with the same params, that takes over what had succeeded before a step and runs the
 * step and everything after it anew. The steps of the new run pass on keys of their own: what they do, they do again, unless a
 * business key says otherwise. The same key again answers with the fork that it made, whatever has become of the source. Throws
 * `InvalidTransitionError` where something before the step has not ended.
 */
export async function forkRun(executor: Executor, request: ForkRequest, actor: string): Promise<Executed> {
  const { idempotencyKey } = request
  const problem = idempotencyKey === null ? undefined : idempotencyKeyProblem(idempotencyKey)
  if (problem) throw new InvalidIdempotencyKeyError(problem)
  const source = await stepOf(executor, request.id, null)
  if (!source) throw new RunNotFoundError(request.id)
  try {
    return await fork(executor, source, request, actor)
  } catch (refused) {
    const earlier = refused instanceof RequestError ? await forkedEarlier(executor, source, request) : undefined
    if (earlier) return earlier
    throw refused
  }
}

async function fork(executor: Executor, source: RunRow, request: ForkRequest, actor: string): Promise<Executed> {
  const { fromStep, reason } = request
  if (source.parentId !== null || source.kind !== 'WORKFLOW' || source.graph === null)
    throw new InvalidInputError('id', 'names no root run of a workflow: only those are forked')
  const compiled = await executor.workflows.graphs.compiled(source.graph)
  if (!executor.workflows.graphs.logic(compiled))
    throw new InvalidInputError(
      'id',
      'names a run whose graph this node has no code of: ask a node that has registered it',
    )
  const steps = (await readSteps(executor.db, [source.id]))[0] ?? []
  const taken = await withAllBelow(executor, keptSteps(compiled, steps, fromStep))
  return record(executor, source, compiled, {
    request,
    actor,
    taken,
    known: new Map(
      steps.flatMap(({ stepKey, kind, nextIndex }) => (kind === 'ACTION' ? [[stepKey ?? '', nextIndex ?? 0]] : [])),
    ),
    data: { forkedFrom: showRunId(source.id), fromStep, reason },
  })
}

/** The run that the same request has made before, though it would be refused now. */
async function forkedEarlier(executor: Executor, source: RunRow, request: ForkRequest): Promise<Executed | undefined> {
  const { idempotencyKey } = request
  if (idempotencyKey === null) return undefined
  const id = keyedRunId('WORKFLOW', source.name, idempotencyKey)
  const run = await whileUnavailable(executor.options.unavailableMs, () => executor.waits.read(id))
  return run?.fingerprint.equals(fingerprintOf(source, request)) ? { run, replayed: true } : undefined
}

function fingerprintOf({ id }: RunRow, { fromStep }: ForkRequest): Buffer {
  return fingerprint({ forkedFrom: id, fromStep })
}

/** The steps whose outcome is taken over: those on which others may go on, and that do not depend on the one to begin with. */
function keptSteps(compiled: CompiledGraph, steps: readonly RunRow[], fromStep: string): RunRow[] {
  if (!compiled.steps.has(fromStep)) throw new StepNotFoundError(fromStep, [...compiled.steps.keys()])
  const byKey = new Map(steps.map((step) => [step.stepKey, step]))
  for (const key of ancestorsOf(compiled, [fromStep])) {
    const status = byKey.get(key)?.status ?? 'PENDING'
    if (!['SUCCEEDED', 'SKIPPED', 'FAILED', 'CANCELED'].includes(status))
      throw new InvalidTransitionError(`forked from ${fromStep}, before which ${key} comes`, status, [
        'SUCCEEDED',
        'SKIPPED',
      ])
  }
  const anew = new Set([fromStep, ...descendantsOf(compiled, [fromStep])])
  const settled = ({ stepKey, status }: RunRow) =>
    KEPT.has(status) || (status === 'CANCELED' && !cancelersOf(compiled, stepKey ?? '').some((key) => anew.has(key)))
  return steps.filter((step) => !anew.has(step.stepKey ?? '') && step.resolved !== null && settled(step))
}

/** What is kept, and everything below it: parents before their runs. */
async function withAllBelow(executor: Executor, kept: readonly RunRow[]): Promise<RunRow[]> {
  const found = [...kept]
  for (let parents = kept.filter(({ kind }) => isWhole(kind)); parents.length > 0; ) {
    const ids = parents.map(({ id }) => id)
    const runs = (await readSteps(executor.db, ids)).flat()
    found.push(...runs)
    parents = runs.filter(({ kind }) => isWhole(kind))
  }
  return found
}

interface Fork {
  readonly request: ForkRequest
  readonly actor: string
  readonly taken: readonly RunRow[]
  readonly known: ReadonlyMap<string, number>
  readonly data: object
}

async function record(executor: Executor, source: RunRow, compiled: CompiledGraph, fork: Fork): Promise<Executed> {
  const { idempotencyKey } = fork.request
  const { name, version } = source
  const id = idempotencyKey === null ? newRunId() : keyedRunId('WORKFLOW', name, idempotencyKey)
  const print = fingerprintOf(source, fork.request)
  const outcome = await executor.workflows.commits.submit({
    rootId: id,
    create: {
      bucket: bucketOf(id),
      id,
      name,
      version,
      graph: compiled.hash,
      idempotencyKey,
      fingerprint: print.toString('hex'),
      params: source.params,
      priority: source.priority,
    },
    rows: () => [],
    async apply(advance) {
      const { root } = advance.tree
      root.forkedFrom = source.id
      await beginWorkflow(advance, root, compiled, fork)
    },
  })
  const run = await existingRun(executor, id, showRunId(id))
  const replayed = outcome.kind === 'exists' && idempotencyKey !== null
  if (replayed && !run.fingerprint.equals(print)) throw new IdempotencyMismatchError(id)
  return { run, replayed }
}
