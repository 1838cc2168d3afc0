import type { Issue } from './json.ts'
import type { RunStatus } from './status.ts'

/**
 * Refusals that a caller can act on: each becomes a member of a GraphQL union, with its code and fields. Nothing has been
 * recorded when one is thrown.
 */
export abstract class RequestError extends Error {
  abstract readonly code: ErrorCode
}

export const ERROR_CODES = [
  'ACTION_NOT_FOUND',
  'WORKFLOW_NOT_FOUND',
  'RUN_NOT_FOUND',
  'STEP_NOT_FOUND',
  'WORKER_NOT_FOUND',
  'ATTEMPT_LOST',
  'INVALID_PARAMS',
  'INVALID_DEFINITION',
  'INVALID_INPUT',
  'INVALID_IDEMPOTENCY_KEY',
  'IDEMPOTENCY_MISMATCH',
  'INVALID_TRANSITION',
  'PERMISSION_DENIED',
  'RATE_LIMITED',
  'PAYLOAD_TOO_LARGE',
  'SERVICE_UNAVAILABLE',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

export class ActionNotFoundError extends RequestError {
  readonly code = 'ACTION_NOT_FOUND'
  constructor(name: string, known: readonly string[]) {
    const list = known.length > 0 ? `Registered are: ${known.slice(0, 20).join(', ')}` : 'No action is registered'
    super(`There is no action ${JSON.stringify(name.slice(0, 100))}. ${list}.`)
  }
}

export class WorkflowNotFoundError extends RequestError {
  readonly code = 'WORKFLOW_NOT_FOUND'
  constructor(name: string, known: readonly string[]) {
    const list = known.length > 0 ? `Registered are: ${known.slice(0, 20).join(', ')}` : 'No workflow is registered'
    super(`There is no workflow ${JSON.stringify(name.slice(0, 100))}. ${list}.`)
  }
}

export class RunNotFoundError extends RequestError {
  readonly code = 'RUN_NOT_FOUND'
  constructor(id: string) {
    super(`There is no run ${JSON.stringify(id.slice(0, 100))}. A run's id is "run_" and 26 characters.`)
  }
}

export class StepNotFoundError extends RequestError {
  readonly code = 'STEP_NOT_FOUND'
  /** @param keys of the run's steps; empty for the run of a single action. */
  constructor(step: string, keys: readonly string[] = []) {
    const hint =
      keys.length > 0
        ? `. Its steps are: ${keys.slice(0, 20).join(', ')}.`
        : ': it executes a single action. Leave `step` out.'
    super(`The run has no step ${JSON.stringify(step.slice(0, 100))}${hint}`)
  }
}

export class WorkerNotFoundError extends RequestError {
  readonly code = 'WORKER_NOT_FOUND'
  constructor(id: string) {
    super(
      `No live worker is ${JSON.stringify(id.slice(0, 200))}: its lease has expired, or it was stopped. Register anew.`,
    )
  }
}

export class AttemptLostError extends RequestError {
  readonly code = 'ATTEMPT_LOST'
  readonly status: RunStatus
  constructor(runId: string, attempt: number, status: RunStatus) {
    super(`The worker does not have attempt ${attempt} of ${runId} any more; the run is ${status}. Drop what it did.`)
    this.status = status
  }
}

export class InvalidParamsError extends RequestError {
  readonly code = 'INVALID_PARAMS'
  readonly issues: readonly Issue[]
  constructor(name: string, issues: readonly Issue[], kind: 'action' | 'workflow' | 'step' | 'signal' = 'action') {
    const [first] = issues
    const where = first?.path ? `params.${first.path}: ` : ''
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
    super(`The params do not fit the ${kind} ${name}: ${where}${first?.message ?? 'invalid'}${more}`)
    this.issues = issues
  }
}

export class InvalidInputError extends RequestError {
  readonly code = 'INVALID_INPUT'
  /** The member of the input, e.g. `waitMs`. */
  readonly path: string
  constructor(path: string, problem: string) {
    super(`${path} ${problem}`)
    this.path = path
  }
}

export class InvalidIdempotencyKeyError extends RequestError {
  readonly code = 'INVALID_IDEMPOTENCY_KEY'
  constructor(problem: string) {
    super(`The idempotency key ${problem}. A key is 1 to 255 printable characters.`)
  }
}

export class IdempotencyMismatchError extends RequestError {
  readonly code = 'IDEMPOTENCY_MISMATCH'
  /** The run that the key already names. */
  readonly runId: string
  constructor(runId: string, what = 'params') {
    super(`The idempotency key already names a request with other ${what}. Use a new key for a new intent.`)
    this.runId = runId
  }
}

/** What a refusal says besides. */
interface TransitionWords {
  /** The step that was asked for, as the caller named it. */
  readonly step?: string | null
  /** A sentence that says what to do instead. */
  readonly hint?: string | undefined
  /** The whole message, where the states alone do not explain it. */
  readonly message?: string | undefined
}

export class InvalidTransitionError extends RequestError {
  readonly code = 'INVALID_TRANSITION'
  readonly status: RunStatus
  /** @param legalFrom the states in which it can be; empty: the state is not what stands in the way. */
  constructor(verb: string, status: RunStatus, legalFrom: readonly RunStatus[], words: TransitionWords = {}) {
    super(words.message ?? refusedTransition(verb, status, legalFrom, words))
    this.status = status
  }
}

function refusedTransition(
  verb: string,
  status: RunStatus,
  legalFrom: readonly RunStatus[],
  { step = null, hint }: TransitionWords,
): string {
  const refused =
    step === null
      ? `A run that is ${status} cannot be ${verb}`
      : `Step ${JSON.stringify(step.slice(0, 100))} is ${status} and cannot be ${verb}`
  const legal = legalFrom.length > 0 ? `; only one that is ${legalFrom.join(', ')} can` : ''
  return `${refused}${legal}.${hint === undefined ? '' : ` ${hint}`}`
}

export class PermissionDeniedError extends RequestError {
  readonly code = 'PERMISSION_DENIED'
}

export class RateLimitedError extends RequestError {
  readonly code = 'RATE_LIMITED'
  constructor(name: string, limit: number) {
    super(`${limit} runs of ${name} wait already. Nothing was recorded: try again later with the same key.`)
  }
}

export class PayloadTooLargeError extends RequestError {
  readonly code = 'PAYLOAD_TOO_LARGE'
  constructor(bytes: number, limit: number) {
    super(
      `The params take ${bytes} bytes as JSON; the limit is ${limit}. Store large data elsewhere and pass a reference.`,
    )
  }
}

/** The database is away for a moment. Whether anything was recorded is not known: repeat the call with the same key. */
export class ServiceUnavailableError extends RequestError {
  readonly code = 'SERVICE_UNAVAILABLE'
  constructor(
    cause: unknown,
    message = 'The database cannot be reached at the moment. Repeat the call with the same idempotency key.',
  ) {
    super(message)
    this.cause = cause
  }
}
