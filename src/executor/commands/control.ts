import { fingerprint, idempotencyKeyProblem } from '../../core/idempotency.ts'
import { newRunId, parseRunId } from '../../core/ids.ts'
import { storableText } from '../../core/json.ts'
import {
  IdempotencyMismatchError,
  InvalidIdempotencyKeyError,
  InvalidInputError,
  InvalidTransitionError,
  RunNotFoundError,
} from '../../core/request-errors.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { RunRow } from '../../db/rows.ts'
import { type ControlSql, controlRun } from '../../db/transitions/control-run.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'
import { existingRun } from './execute-action.ts'
import type { Executed } from './execution.ts'

/** A control mutation as it was asked for. */
export interface ControlRequest {
  /** `run_…`. */
  readonly id: string
  readonly reason: string | null
  readonly idempotencyKey: string | null
}

const VERBS = {
  cancel: { participle: 'canceled', legalFrom: statesBefore('CANCEL_REQUESTED') },
  retry: { participle: 'retried', legalFrom: statesBefore('RETRY_REQUESTED') },
} as const

const MAX_REASON = 1_000

/**
 * What every control mutation shares: the key, the run's state, and what is told afterwards.
 * @param asked what the key names: the same key with another request is a mismatch.
 * @param apply the statement that changes the run, whose row is locked.
 */
export async function control(
  executor: Executor,
  kind: keyof typeof VERBS,
  request: ControlRequest,
  asked: unknown,
  apply: (sql: ControlSql, run: RunRow) => Promise<void>,
): Promise<Executed> {
  const id = checkRequest(request)
  const { participle, legalFrom } = VERBS[kind]
  // Without a key of the caller's it gets one of its own: it must be safe to repeat when its answer is lost.
  const made = request.idempotencyKey === null
  const key = request.idempotencyKey ?? `made:${newRunId()}`
  const command = { id, kind, key, fingerprint: fingerprint(asked), legalFrom }
  const outcome = await whileUnavailable(executor.options.unavailableMs, () => controlRun(executor.db, command, apply))
  switch (outcome.kind) {
    case 'not-found':
      throw new RunNotFoundError(request.id)
    case 'mismatch':
      throw new IdempotencyMismatchError(id, 'arguments')
    case 'refused':
      throw new InvalidTransitionError(participle, outcome.status, legalFrom)
    case 'replayed':
    case 'done': {
      const run = await existingRun(executor, id, request.id)
      if (outcome.kind === 'replayed' && !made) {
        // it may be the repetition of this very call, whose answer was lost: then nobody has been told yet
        executor.hub.announce(run.rootId)
        return { run, replayed: true }
      }
      executor.announce(run)
      executor.log.info({ run: request.id, status: run.status, reason: request.reason }, `a run was ${participle}`)
      return { run, replayed: false }
    }
  }
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
