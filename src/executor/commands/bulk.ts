import { showRunId } from '../../core/ids.ts'
import { InvalidInputError, RequestError } from '../../core/request-errors.ts'
import { countRuns, listRuns, type RunFilter } from '../../db/reads/run-list.ts'
import type { Executor } from '../executor.ts'
import { cancelRun } from './cancel-run.ts'
import type { ControlRequest } from './control.ts'
import type { Executed } from './execution.ts'
import { pauseRun, resumeRun } from './pause-run.ts'
import { retryRun } from './retry-run.ts'

/** So many runs at once; more take several calls. */
export const MAX_BULK = 1_000

export interface BulkRequest {
  readonly filter: RunFilter
  /** How many runs the caller has counted: with any other number nothing happens. */
  readonly expected: number
  readonly reason: string | null
  /** Names the whole: each run gets a key of its own from it. */
  readonly idempotencyKey: string
}

export interface BulkOutcome {
  readonly runId: string
  readonly done: Executed | undefined
  readonly refused: RequestError | undefined
}

const OPERATIONS = {
  retry: (executor: Executor, request: ControlRequest, actor: string) =>
    retryRun(executor, { ...request, step: null, params: undefined, newKey: false }, actor),
  cancel: cancelRun,
  pause: pauseRun,
  resume: resumeRun,
}

export type BulkOperation = keyof typeof OPERATIONS

/**
 * Does the same to every run that a filter finds, each under a key of its own: repeating the call does nothing twice. Nothing
 * happens unless the filter finds exactly as many runs as the caller has counted.
 */
export async function bulk(
  executor: Executor,
  operation: BulkOperation,
  { filter, expected, reason, idempotencyKey }: BulkRequest,
  actor: string,
): Promise<BulkOutcome[]> {
  const count = await countRuns(executor.db, filter, MAX_BULK)
  if (count > MAX_BULK) throw new InvalidInputError('filter', `finds more than ${MAX_BULK} runs; narrow it down`)
  if (count !== expected) throw new InvalidInputError('expected', `is ${expected}, but the filter finds ${count} runs`)
  const runs = await listRuns(executor.db, { limit: MAX_BULK, filter, from: 'newest' })
  return Promise.all(
    runs.map(async ({ id }) => {
      const request = { id: showRunId(id), reason, idempotencyKey: `${idempotencyKey}:${showRunId(id)}` }
      try {
        return { runId: id, done: await OPERATIONS[operation](executor, request, actor), refused: undefined }
      } catch (error) {
        if (error instanceof RequestError) return { runId: id, done: undefined, refused: error }
        throw error
      }
    }),
  )
}
