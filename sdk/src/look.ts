import { GET_STEPS, RETRY_PREVIEW } from './documents.ts'
import { DoError } from './errors.ts'
import { accepted } from './outcome.ts'
import { now } from './time.ts'
import type { Operation, Transport } from './transport.ts'
import type { Preview, Step } from './types.ts'

/** A step as GraphQL gives it. */
type WireStep = Omit<Step, 'attempts' | 'runId' | keyof OfRun> & {
  readonly attempts: readonly unknown[]
  readonly run: { readonly id: string } & OfRun
}

/** What the run of a step tells of it. */
type OfRun = Pick<Step, 'params' | 'startedAt' | 'finishedAt'>

/** Reads the steps of a run; of a single action none. Throws a `DoError`, `RUN_NOT_FOUND` when there is no such run. */
export async function readSteps(transport: Transport, id: string, signal: AbortSignal | undefined): Promise<Step[]> {
  const { run } = await look(transport, GET_STEPS, { id }, signal)
  if (!run) throw new DoError('RUN_NOT_FOUND', `there is no run ${id}`, { runId: id })
  const { steps = [] } = run as { steps?: readonly WireStep[] }
  return steps.map(({ run: { id: runId, ...ofRun }, attempts, ...step }) => ({
    ...step,
    ...ofRun,
    attempts: attempts.length,
    runId,
  }))
}

/** Reads what a retry would do. Throws a `DoError` where the server would refuse it. */
export async function readPreview(
  transport: Transport,
  id: string,
  step: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Preview> {
  const data = await look(transport, RETRY_PREVIEW, { id, step }, signal)
  const { again, next, kept, unsafe } = accepted<Preview>(data, 'retryPreview', 'again')
  return { again, next, kept, unsafe }
}

/** Asks for something that nothing has to be waited for. */
export function look(
  transport: Transport,
  document: string,
  variables: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const operation: Operation = { document, variables: () => variables, serverWaits: () => 0 }
  return transport.request(operation, { deadline: now() + transport.config.timeout, signal })
}
