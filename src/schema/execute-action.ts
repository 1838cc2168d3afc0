import { RequestError } from '../core/request-errors.ts'
import { executeAction } from '../executor/commands/execute-action.ts'
import { executeActions } from '../executor/commands/execute-actions.ts'
import type { Executed } from '../executor/commands/execution.ts'
import { builder } from './builder.ts'
import { errorTypes, orRefusal, Refusal, refusalOr } from './errors.ts'
import { within } from './malformed.ts'
import { ActionRunRef } from './run.ts'

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

const ExecuteActionPayload = builder.objectRef<Executed>('ExecuteActionPayload').implement({
  description: 'The run. An action that failed is no request that failed: look at `run.status` and `run.error`.',
  fields: (t) => ({
    run: t.field({ type: ActionRunRef, nullable: false, description: 'As it stands.', resolve: ({ run }) => run }),
    replayed: t.exposeBoolean('replayed', {
      nullable: false,
      description: 'False only in the answer to the call that did it.',
    }),
  }),
})

const { actionNotFound, invalidParams, invalidInput, invalidKey } = errorTypes
const { mismatch, rateLimited, payloadTooLarge, permissionDenied, unavailable } = errorTypes

const ExecuteActionResult = builder.unionType('ExecuteActionResult', {
  description: 'The run, or why nothing was recorded.',
  resolveType: refusalOr('ExecuteActionPayload'),
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
    resolve: async (_, { inputs }, { executor, actor }) => {
      within('inputs.length', inputs.length, 0, MAX_BATCH)
      const requests = inputs.map((input) => request(input, 0))
      const outcomes = await executeActions(executor, requests, actor)
      return outcomes.map((outcome) => (outcome instanceof RequestError ? new Refusal(outcome) : outcome))
    },
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
