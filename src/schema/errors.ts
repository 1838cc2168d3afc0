import type { Issue } from '../core/json.ts'
import {
  ActionNotFoundError,
  IdempotencyMismatchError,
  InvalidIdempotencyKeyError,
  InvalidInputError,
  InvalidParamsError,
  InvalidTransitionError,
  PayloadTooLargeError,
  RateLimitedError,
  RequestError,
  RunNotFoundError,
  StepNotFoundError,
} from '../core/request-errors.ts'
import { builder } from './builder.ts'
import { ErrorCodeRef, RunStatusRef } from './enums.ts'
import { RunRef } from './run.ts'

const ErrorRef = builder.interfaceRef<RequestError>('Error').implement({
  description: 'A refusal that a caller can act on. Nothing has been recorded, and the idempotency key is not used up.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeRef, nullable: false, description: 'For programs.', resolve: (e) => e.code }),
    message: t.exposeString('message', { nullable: false, description: 'For people: what is wrong and what to do.' }),
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

/** An error type without fields of its own. */
function plainError(name: string, of: abstract new (...args: never[]) => RequestError, description: string) {
  return builder.objectRef<RequestError>(name).implement({
    description,
    interfaces: [ErrorRef],
    isTypeOf: (value) => value instanceof of,
  })
}

export const errorTypes = {
  actionNotFound: plainError('ActionNotFoundError', ActionNotFoundError, 'No action of this name is registered.'),
  runNotFound: plainError('RunNotFoundError', RunNotFoundError, 'No run has this id.'),
  stepNotFound: plainError('StepNotFoundError', StepNotFoundError, 'The run has no step of this key.'),
  invalidKey: plainError(
    'InvalidIdempotencyKeyError',
    InvalidIdempotencyKeyError,
    'The idempotency key is not 1 to 255 printable characters.',
  ),
  rateLimited: plainError('RateLimitedError', RateLimitedError, 'Too many runs of the action wait already.'),
  payloadTooLarge: plainError('PayloadTooLargeError', PayloadTooLargeError, 'The params are over the size limit.'),
  invalidParams: builder.objectRef<InvalidParamsError>('InvalidParamsError').implement({
    description: "The params are not storable JSON, or do not fit the action's schema.",
    interfaces: [ErrorRef],
    isTypeOf: (value) => value instanceof InvalidParamsError,
    fields: (t) => ({
      issues: t.field({
        type: [IssueRef],
        nullable: { list: false, items: false },
        description: 'Each thing that is wrong, and where.',
        resolve: (error) => [...error.issues],
      }),
    }),
  }),
  invalidInput: builder.objectRef<InvalidInputError>('InvalidInputError').implement({
    description: 'An argument is out of its range.',
    interfaces: [ErrorRef],
    isTypeOf: (value) => value instanceof InvalidInputError,
    fields: (t) => ({
      path: t.exposeString('path', { nullable: false, description: 'The member of the input, e.g. `waitMs`.' }),
    }),
  }),
  mismatch: builder.objectRef<IdempotencyMismatchError>('IdempotencyMismatchError').implement({
    description: 'The idempotency key already names another request. The original is untouched.',
    interfaces: [ErrorRef],
    isTypeOf: (value) => value instanceof IdempotencyMismatchError,
    fields: (t) => ({
      run: t.field({
        type: RunRef,
        description: 'The run that the key names.',
        resolve: async ({ runId }, _, { loaders }) => (await loaders.runs.load(runId)) ?? null,
      }),
    }),
  }),
  invalidTransition: builder.objectRef<InvalidTransitionError>('InvalidTransitionError').implement({
    description: "The run's state does not allow it.",
    interfaces: [ErrorRef],
    isTypeOf: (value) => value instanceof InvalidTransitionError,
    fields: (t) => ({
      status: t.field({
        type: RunStatusRef,
        nullable: false,
        description: 'The state that the run is in.',
        resolve: (error) => error.status,
      }),
    }),
  }),
}

/** Errors as data: a refusal becomes the answer, anything else stays a fault. */
export async function orRefusal<T>(outcome: Promise<T>): Promise<T | RequestError> {
  try {
    return await outcome
  } catch (error) {
    if (error instanceof RequestError) return error
    throw error
  }
}
