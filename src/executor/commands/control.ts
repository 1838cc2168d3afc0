import { fingerprintHex, idempotencyKeyProblem } from '../../core/idempotency.ts'
import { newRunId, parseRunId } from '../../core/ids.ts'
import { storableText } from '../../core/json.ts'
import {
  IdempotencyMismatchError,
  InvalidIdempotencyKeyError,
  InvalidInputError,
  RunNotFoundError,
} from '../../core/request-errors.ts'
import { findCommand, keepCommand } from '../../db/tree/commands.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Executor } from '../executor.ts'
import type { Advance } from '../workflow/advance.ts'
import { existingRun } from './execute-action.ts'
import type { Executed } from './execution.ts'

/** A control mutation as it was asked for. */
export interface ControlRequest {
  /** `run_…`. */
  readonly id: string
  readonly reason: string | null
  readonly idempotencyKey: string | null
}

export type ControlKind = 'cancel' | 'retry' | 'pause' | 'resume' | 'skip' | 'resolve' | 'signal'

const PARTICIPLES: Record<ControlKind, string> = {
  cancel: 'canceled',
  retry: 'retried',
  pause: 'paused',
  resume: 'resumed',
  skip: 'skipped',
  resolve: 'resolved',
  signal: 'signaled',
}

const MAX_REASON = 1_000

/**
 * Applies a control mutation once, under the lock of the run's tree: two operators who click at once, or one whose answer was
 * lost and who clicks again, take turns; the second finds the first one's key, or its state.
 * @param asked what the key names: the same key with another request is a mismatch.
 * @param apply changes the run. Throws a `RequestError` before it has changed anything.
 */
export async function control(
  executor: Executor,
  kind: ControlKind,
  request: ControlRequest,
  asked: unknown,
  apply: (advance: Advance, row: TreeRow) => Promise<void> | void,
): Promise<Executed> {
  const id = checkRequest(request)
  // Without a key of the caller's it gets one of its own: it must be safe to repeat when its answer is lost.
  const made = request.idempotencyKey === null
  const key = request.idempotencyKey ?? `made:${newRunId()}`
  const { rootId, bucket } = await existingRun(executor, id, request.id)
  const command = { bucket, runId: id, kind, key, fingerprint: fingerprintHex(asked) }
  const replayed = await executor.workflows.commits.apply({
    rootId,
    rows: () => [id],
    async apply(advance) {
      const row = advance.tree.find(id)
      if (!row) throw new RunNotFoundError(request.id)
      const earlier = await findCommand(advance.tree.run, command)
      if (earlier !== undefined && earlier !== command.fingerprint) throw new IdempotencyMismatchError(id, 'arguments')
      if (earlier !== undefined) return true
      const from = row.status
      await apply(advance, row)
      await keepCommand(advance.tree.run, { ...command, outcome: { from } })
      return false
    },
  })
  const run = await existingRun(executor, id, request.id)
  if (replayed) executor.hub.announce(run.rootId)
  else
    executor.log.info({ run: request.id, status: run.status, reason: request.reason }, `a run was ${PARTICIPLES[kind]}`)
  // a repetition of this very call, whose answer was lost, is no replay to whoever made it
  return { run, replayed: replayed && !made }
}

/** The UUID of the run. */
function checkRequest({ id: shown, reason, idempotencyKey }: ControlRequest): string {
  if (idempotencyKey !== null) {
    const problem = idempotencyKeyProblem(idempotencyKey)
    if (problem) throw new InvalidIdempotencyKeyError(problem)
  }
  if (reason !== null && (reason.length > MAX_REASON || storableText(reason, MAX_REASON) !== reason))
    throw new InvalidInputError('reason', `must be text of at most ${MAX_REASON} characters, without NUL`)
  const id = parseRunId(shown)
  if (id === undefined) throw new RunNotFoundError(shown)
  return id
}

/** What an operator said about it, as the event keeps it. */
export function reasonData(reason: string | null): { data?: object } {
  return reason === null ? {} : { data: { reason } }
}
