import { cancelRun } from '../executor/commands/cancel-run.ts'
import { executeAction } from '../executor/commands/execute-action.ts'
import type { Executed } from '../executor/commands/execution.ts'
import { retryRun } from '../executor/commands/retry-run.ts'
import { builder } from './builder.ts'
import { errorTypes, orAnyRefusal, orRefusal } from './errors.ts'
import { within } from './malformed.ts'
import { ActionRunRef, RunRef } from './run.ts'

const ExecuteActionInput = builder.inputType('ExecuteActionInput', {
  description: 'An action to execute, and the key that names the intent.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Of a registered action.' }),
    params: t.field({ type: 'JSON', description: 'What it is given; default {}.' }),
    idempotencyKey: t.string({
      description:
        '1 to 255 printable characters that name this intent: the same key and params again give the same run. Absent: each call is a new intent.',
    }),
    waitMs: t.int({
      description:
        'Milliseconds to wait for the outcome: 0 to 300000, default 30000. 0 answers as soon as the run is recorded.',
    }),
    runAt: t.field({ type: 'DateTime', description: 'Not before this moment.' }),
    priority: t.int({ description: 'Higher ones run first: -1000 to 1000, default 0.' }),
  }),
})

const RetryRunInput = builder.inputType('RetryRunInput', {
  description: 'A failed, canceled or indeterminate run to run again.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Of the run.' }),
    step: t.string({ description: 'Only this step of a workflow. The run of a single action has none.' }),
    params: t.field({ type: 'JSON', description: 'Amended params. They are checked, and recorded with those before.' }),
    newKey: t.boolean({
      description: 'Pass a new key downstream: for a service that stored "declined" and would replay it for ever.',
    }),
    reason: t.string({ description: 'For the record.' }),
    idempotencyKey: t.string({ description: 'Names this retry: clicking twice does it once.' }),
  }),
})

const CancelRunInput = builder.inputType('CancelRunInput', {
  description: 'A run to cancel.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Of the run.' }),
    reason: t.string({ description: 'For the record.' }),
    idempotencyKey: t.string({ description: 'Names this cancel: clicking twice does it once.' }),
  }),
})

const replayedDescription = 'False only in the answer to the call that did it.'

const ExecuteActionPayload = builder.objectRef<Executed>('ExecuteActionPayload').implement({
  description: 'The run. An action that failed is no request that failed: look at `run.status` and `run.error`.',
  isTypeOf: (value) => value instanceof Object && 'run' in value,
  fields: (t) => ({
    run: t.field({ type: ActionRunRef, nullable: false, description: 'As it stands.', resolve: ({ run }) => run }),
    replayed: t.exposeBoolean('replayed', { nullable: false, description: replayedDescription }),
  }),
})

function controlPayload(name: string, description: string) {
  return builder.objectRef<Executed>(name).implement({
    description,
    isTypeOf: (value) => value instanceof Object && 'run' in value,
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: false, description: 'As it stands.', resolve: ({ run }) => run }),
      replayed: t.exposeBoolean('replayed', { nullable: false, description: replayedDescription }),
    }),
  })
}

const RetryRunPayload = controlPayload('RetryRunPayload', 'The run that runs again.')
const CancelRunPayload = controlPayload('CancelRunPayload', 'The run that was canceled.')

const { actionNotFound, runNotFound, stepNotFound, invalidParams, invalidInput, invalidKey } = errorTypes
const { mismatch, invalidTransition, rateLimited, payloadTooLarge, permissionDenied, unavailable } = errorTypes

const ExecuteActionResult = builder.unionType('ExecuteActionResult', {
  description: 'The run, or why nothing was recorded.',
  types: [
    ExecuteActionPayload,
    actionNotFound,
    invalidParams,
    invalidInput,
    invalidKey,
    mismatch,
    rateLimited,
    payloadTooLarge,
    permissionDenied,
    unavailable,
  ],
})

const RetryRunResult = builder.unionType('RetryRunResult', {
  description: 'The run, or why nothing was changed.',
  types: [
    RetryRunPayload,
    runNotFound,
    stepNotFound,
    actionNotFound,
    invalidParams,
    invalidInput,
    invalidKey,
    mismatch,
    invalidTransition,
    payloadTooLarge,
    permissionDenied,
  ],
})

const CancelRunResult = builder.unionType('CancelRunResult', {
  description: 'The run, or why nothing was changed.',
  types: [CancelRunPayload, runNotFound, invalidInput, invalidKey, mismatch, invalidTransition, permissionDenied],
})

const DEFAULT_WAIT_MS = 30_000

builder.mutationField('executeAction', (t) =>
  t.field({
    type: ExecuteActionResult,
    nullable: false,
    description: 'Executes an action once for its idempotency key, and waits for the outcome.',
    args: { input: t.arg({ type: ExecuteActionInput, required: true, description: 'What to execute.' }) },
    resolve: (_, { input }, { executor, actor }) =>
      orRefusal(executeAction(executor, request(input, DEFAULT_WAIT_MS), actor)),
  }),
)

const MAX_BATCH = 1_000

builder.mutationField('executeActions', (t) =>
  t.field({
    type: [ExecuteActionResult],
    nullable: { list: false, items: false },
    description: `Executes up to ${MAX_BATCH} actions, each with its own outcome, and answers as soon as they are recorded.`,
    args: {
      inputs: t.arg({ type: [ExecuteActionInput], required: true, description: '`waitMs` is 0 for each.' }),
    },
    resolve: (_, { inputs }, { executor, actor }) => {
      within('inputs.length', inputs.length, 0, MAX_BATCH)
      return Promise.all(
        inputs.map((input) => orAnyRefusal(executeAction(executor, { ...request(input, 0), waitMs: 0 }, actor))),
      )
    },
  }),
)

builder.mutationField('retryRun', (t) =>
  t.field({
    type: RetryRunResult,
    nullable: false,
    description: 'Runs a failed, canceled or indeterminate run again, in place: its history stays.',
    args: { input: t.arg({ type: RetryRunInput, required: true, description: 'What to retry.' }) },
    resolve: (_, { input: { id, step, params, newKey, reason, idempotencyKey } }, { executor, actor }) => {
      const optional = { step: step ?? null, reason: reason ?? null, idempotencyKey: idempotencyKey ?? null }
      return orRefusal(retryRun(executor, { id, params, newKey: newKey ?? false, ...optional }, actor))
    },
  }),
)

builder.mutationField('cancelRun', (t) =>
  t.field({
    type: CancelRunResult,
    nullable: false,
    description: 'Ends a run that has not ended. Its handler learns of it; what it still does changes nothing.',
    args: { input: t.arg({ type: CancelRunInput, required: true, description: 'What to cancel.' }) },
    resolve: (_, { input: { id, reason, idempotencyKey } }, { executor, actor }) =>
      orRefusal(cancelRun(executor, { id, reason: reason ?? null, idempotencyKey: idempotencyKey ?? null }, actor)),
  }),
)

function request(input: typeof ExecuteActionInput.$inferInput, defaultWaitMs: number) {
  return {
    name: input.name,
    // absent params are {}; null is a value
    params: input.params === undefined ? {} : input.params,
    idempotencyKey: input.idempotencyKey ?? null,
    waitMs: input.waitMs ?? defaultWaitMs,
    runAt: input.runAt ?? null,
    priority: input.priority ?? 0,
  }
}
