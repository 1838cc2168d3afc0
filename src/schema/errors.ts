import type { InvalidDefinitionError } from '../core/definition/definition-error.ts'
import type { Issue } from '../core/json.ts'
import {
  type AttemptLostError,
  type ErrorCode,
  type IdempotencyMismatchError,
  type InvalidInputError,
  type InvalidParamsError,
  type InvalidTransitionError,
  RequestError,
  ServiceUnavailableError,
} from '../core/request-errors.ts'
import { builder } from './builder.ts'
import { ErrorCodeRef, RunStatusRef } from './enums.ts'
import { RunRef } from './run.ts'

/** A refusal as a resolver answers with it: an `Error` itself would be thrown by whoever completes the value. */
export class Refusal<E extends RequestError = RequestError> {
  readonly error: E

  constructor(error: E) {
    this.error = error
  }
}

const ErrorRef = builder.interfaceRef<Refusal>('Error').implement({
  description: 'A refusal that a caller can act on. Nothing has been recorded, and the idempotency key is not used up.',
  fields: (t) => ({
    code: t.field({
      type: ErrorCodeRef,
      nullable: false,
      description: 'For programs.',
      resolve: ({ error }) => error.code,
    }),
    message: t.string({
      nullable: false,
      description: 'For people: what is wrong and what to do.',
      resolve: ({ error }) => error.message,
    }),
  }),
})

const IssueRef = builder.objectRef<Issue>('ParamsIssue').implement({
  description: 'One thing wrong with the params.',
  fields: (t) => ({
    path: t.exposeString('path', {
      nullable: false,
      description: 'The members from the root, joined by dots; empty for the root.',
    }),
    message: t.exposeString('message', { nullable: false, description: 'What is wrong there.' }),
  }),
})

const MEMBERS: Record<ErrorCode, string> = {
  ACTION_NOT_FOUND: 'ActionNotFoundError',
  WORKFLOW_NOT_FOUND: 'WorkflowNotFoundError',
  RUN_NOT_FOUND: 'RunNotFoundError',
  STEP_NOT_FOUND: 'StepNotFoundError',
  WORKER_NOT_FOUND: 'WorkerNotFoundError',
  ATTEMPT_LOST: 'AttemptLostError',
  INVALID_PARAMS: 'InvalidParamsError',
  INVALID_DEFINITION: 'InvalidDefinitionError',
  INVALID_INPUT: 'InvalidInputError',
  INVALID_IDEMPOTENCY_KEY: 'InvalidIdempotencyKeyError',
  IDEMPOTENCY_MISMATCH: 'IdempotencyMismatchError',
  INVALID_TRANSITION: 'InvalidTransitionError',
  PERMISSION_DENIED: 'PermissionDeniedError',
  RATE_LIMITED: 'RateLimitedError',
  PAYLOAD_TOO_LARGE: 'PayloadTooLargeError',
  SERVICE_UNAVAILABLE: 'ServiceUnavailableError',
}

/** The object type that a refusal is, by its code: the executor need not ask one member of a union after the other. */
export function refusalType({ error }: Refusal): string {
  return MEMBERS[error.code]
}

/** Tells the members of a union of refusals and one payload apart. */
export function refusalOr(payload: string) {
  return (value: unknown) => (value instanceof Refusal ? refusalType(value) : payload)
}

/** An error type without fields of its own. */
function plainError(name: string, description: string) {
  return builder.objectRef<Refusal>(name).implement({
    description,
    interfaces: [ErrorRef],
  })
}

/** An error type of a run that is in another state than it would have to be. */
function errorWithStatus(name: string, description: string) {
  return builder.objectRef<Refusal<AttemptLostError | InvalidTransitionError>>(name).implement({
    description,
    interfaces: [ErrorRef],
    fields: (t) => ({
      status: t.field({
        type: RunStatusRef,
        nullable: false,
        description: 'The state that the run is in.',
        resolve: ({ error }) => error.status,
      }),
    }),
  })
}

export const errorTypes = {
  actionNotFound: plainError('ActionNotFoundError', 'No action of this name is registered.'),
  workflowNotFound: plainError('WorkflowNotFoundError', 'No workflow of this name is registered.'),
  runNotFound: plainError('RunNotFoundError', 'No run has this id.'),
  stepNotFound: plainError('StepNotFoundError', 'The run has no step of this key.'),
  workerNotFound: plainError(
    'WorkerNotFoundError',
    'No live worker has this id: its lease has expired, or it was stopped. It is to register anew.',
  ),
  invalidKey: plainError('InvalidIdempotencyKeyError', 'The idempotency key is not 1 to 255 printable characters.'),
  permissionDenied: plainError('PermissionDeniedError', 'The API key may not do this.'),
  unavailable: plainError(
    'ServiceUnavailableError',
    'The database cannot be reached. Whether this one was recorded is not known: repeat it with the same key.',
  ),
  rateLimited: plainError('RateLimitedError', 'Too many runs of the action wait already.'),
  payloadTooLarge: plainError('PayloadTooLargeError', 'The params are over the size limit.'),
  invalidParams: builder.objectRef<Refusal<InvalidParamsError>>('InvalidParamsError').implement({
    description: "The params are not storable JSON, or do not fit the action's schema.",
    interfaces: [ErrorRef],
    fields: (t) => ({
      issues: t.field({
        type: [IssueRef],
        nullable: { list: false, items: false },
        description: 'Each thing that is wrong, and where.',
        resolve: ({ error }) => [...error.issues],
      }),
    }),
  }),
  invalidDefinition: builder.objectRef<Refusal<InvalidDefinitionError>>('InvalidDefinitionError').implement({
    description: 'The definition of the workflow has mistakes.',
    interfaces: [ErrorRef],
    fields: (t) => ({
      issues: t.field({
        type: [IssueRef],
        nullable: { list: false, items: false },
        description: 'Each mistake, and where; at most 20.',
        resolve: ({ error }) => [...error.issues],
      }),
    }),
  }),
  invalidInput: builder.objectRef<Refusal<InvalidInputError>>('InvalidInputError').implement({
    description: 'An argument is out of its range.',
    interfaces: [ErrorRef],
    fields: (t) => ({
      path: t.string({
        nullable: false,
        description: 'The member of the input, e.g. `waitMs`.',
        resolve: ({ error }) => error.path,
      }),
    }),
  }),
  mismatch: builder.objectRef<Refusal<IdempotencyMismatchError>>('IdempotencyMismatchError').implement({
    description:
      'The idempotency key already names another request. The original is untouched. Beside a payload its `run` needs an alias, `original: run`: that of a payload has a type of its own.',
    interfaces: [ErrorRef],
    fields: (t) => ({
      run: t.field({
        type: RunRef,
        description: 'The run that the key names.',
        resolve: async ({ error }, _, { loaders }) => (await loaders.runs.load(error.runId)) ?? null,
      }),
    }),
  }),
  attemptLost: errorWithStatus(
    'AttemptLostError',
    'The worker has the attempt no longer: the run was canceled, or went to another hand.',
  ),
  invalidTransition: errorWithStatus('InvalidTransitionError', "The run's state does not allow it."),
}

/** Errors as data: a refusal becomes the answer, anything else stays a fault. */
export async function orRefusal<T>(outcome: Promise<T>): Promise<T | Refusal> {
  try {
    return await outcome
  } catch (error) {
    if (error instanceof RequestError && !(error instanceof ServiceUnavailableError)) return new Refusal(error)
    throw error
  }
}
