import { DoError, type Issue } from './errors.ts'
import type { Run, RunStatus } from './types.ts'

/** A run as GraphQL gives it. */
type WireRun = Omit<Run, 'kind'> & { readonly __typename: string }

/** A member of a result union: the payload, or one of the errors with whatever fields that one has. */
interface WireAnswer {
  readonly run?: WireRun
  readonly replayed?: boolean
  readonly code?: string
  readonly message?: string
  readonly issues?: readonly Issue[]
  readonly keptBy?: { readonly id: string } | null
  readonly currentStatus?: RunStatus
  readonly inputPath?: string | null
}

// INDETERMINATE has not ended, but only a person or a probe goes on with it: waiting is of no use
const SETTLED: ReadonlySet<RunStatus> = new Set<RunStatus>([
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
  'SKIPPED',
  'COMPENSATED',
  'INDETERMINATE',
])

/** Whether there is an outcome, so that nobody has to wait any longer. */
export function isSettled(status: RunStatus): boolean {
  return SETTLED.has(status)
}

/** A run out of an answer. The type of its result is the caller's word: it comes from the definitions. */
function toRun<R>({ __typename, ...run }: WireRun): Run<R> {
  return { kind: KINDS[__typename] ?? 'ACTION', ...(run as Omit<Run<R>, 'kind'>) }
}

const KINDS: Readonly<Record<string, Run['kind']>> = { WorkflowRun: 'WORKFLOW', StepRun: 'STEP' }

/** The run in an answer of `query { run }`, if there is one. */
export function foundRun<R>(data: Readonly<Record<string, unknown>>): Run<R> | undefined {
  const wire = data.run as WireRun | null | undefined
  return wire ? toRun<R>(wire) : undefined
}

/** The payload of a mutation; an error member of its union is thrown as `DoError`. */
export function acceptedRun<R>(
  data: Readonly<Record<string, unknown>>,
  field: string,
): { run: Run<R>; replayed: boolean } {
  const answer = data[field] as WireAnswer | null | undefined
  if (answer?.run) return { run: toRun<R>(answer.run), replayed: answer.replayed ?? false }
  throw refusalIn(answer, field)
}

/** An answer that is no error member of its union; such a one is thrown as `DoError`. */
export function accepted<T>(data: Readonly<Record<string, unknown>>, field: string, member: keyof T & string): T {
  const answer = data[field] as (T & WireAnswer) | null | undefined
  if (answer && member in answer) return answer
  throw refusalIn(answer, field)
}

function refusalIn(answer: WireAnswer | null | undefined, field: string): DoError {
  if (!answer?.code) return new DoError('BAD_RESPONSE', `the answer has no ${field}`)
  return new DoError(answer.code, answer.message ?? answer.code, {
    retryable: answer.code === 'RATE_LIMITED',
    runId: answer.keptBy?.id,
    issues: answer.issues,
    details: detailsOf(answer),
  })
}

function detailsOf({ currentStatus, inputPath }: WireAnswer): unknown {
  if (currentStatus !== undefined) return { status: currentStatus }
  return inputPath == null ? undefined : { path: inputPath }
}

/** Why a run has no result, or undefined when it has one. */
export function failureOf(run: Run): DoError | undefined {
  const { id, status, error } = run
  const about = { runId: id, idempotencyKey: run.idempotencyKey ?? undefined }
  if (status === 'SUCCEEDED') return undefined
  if (!isSettled(status)) return new DoError('TIMEOUT', `${id} is still ${status}; run.wait goes on with it`, about)
  // these two say more than the error of the attempt that was under way
  const code = status === 'CANCELED' || status === 'INDETERMINATE' ? status : (error?.code ?? status)
  const message = error?.message ?? `${id} ended as ${status}`
  return new DoError(code, message, {
    retryable: status === 'FAILED' && error?.retryable,
    ...about,
    details: error?.details ?? undefined,
  })
}
