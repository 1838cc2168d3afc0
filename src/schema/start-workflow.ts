import { defineWorkflow } from '../executor/commands/define-workflow.ts'
import type { Executed } from '../executor/commands/execution.ts'
import { startWorkflow } from '../executor/commands/start-workflow.ts'
import { builder } from './builder.ts'
import { errorTypes, orRefusal, refusalOr } from './errors.ts'
import { type ShownWorkflow, WorkflowRef } from './workflow.ts'
import { WorkflowRunRef } from './workflow-run.ts'

const StartWorkflowInput = builder.inputType('StartWorkflowInput', {
  description: 'A workflow to start, by its name or as data, and the key that names the intent.',
  fields: (t) => ({
    name: t.string({ description: 'Of a workflow. Either this or `definition`.' }),
    definition: t.field({
      type: 'JSON',
      description: 'The workflow itself as data: see the JSON Schema of the format.',
    }),
    params: t.field({ type: 'JSON', description: 'What it is given; default {}.' }),
    idempotencyKey: t.string({
      description:
        '1 to 255 printable characters that name this intent: the same key and params again give the same run. Absent: each call is a new intent.',
    }),
    waitMs: t.int({
      description:
        'Milliseconds to wait for the outcome: 0 to 300000, default 0, which answers as soon as it is recorded.',
    }),
    runAt: t.field({ type: 'DateTime', description: 'Not before this moment.' }),
  }),
})

const StartWorkflowPayload = builder.objectRef<Executed>('StartWorkflowPayload').implement({
  description: 'The run. A workflow that failed is no request that failed: look at `run.status` and `run.error`.',
  fields: (t) => ({
    run: t.field({ type: WorkflowRunRef, nullable: false, description: 'As it stands.', resolve: ({ run }) => run }),
    replayed: t.exposeBoolean('replayed', {
      nullable: false,
      description: 'False only in the answer to the call that did it.',
    }),
  }),
})

const { workflowNotFound, invalidDefinition, invalidParams, invalidInput, invalidKey } = errorTypes
const { mismatch, rateLimited, payloadTooLarge, permissionDenied } = errorTypes

const StartWorkflowResult = builder.unionType('StartWorkflowResult', {
  description: 'The run, or why nothing was recorded.',
  resolveType: refusalOr('StartWorkflowPayload'),
  types: [
    StartWorkflowPayload,
    workflowNotFound,
    invalidDefinition,
    invalidParams,
    invalidInput,
    invalidKey,
    mismatch,
    rateLimited,
    payloadTooLarge,
    permissionDenied,
  ],
})

builder.mutationField('startWorkflow', (t) =>
  t.field({
    type: StartWorkflowResult,
    nullable: false,
    description: 'Starts a workflow once for its idempotency key.',
    args: { input: t.arg({ type: StartWorkflowInput, required: true, description: 'What to start.' }) },
    resolve: (_, { input }, { executor, actor }) =>
      orRefusal(
        startWorkflow(
          executor,
          {
            name: input.name ?? null,
            definition: input.definition,
            // absent params are {}; null is a value
            params: input.params === undefined ? {} : input.params,
            idempotencyKey: input.idempotencyKey ?? null,
            waitMs: input.waitMs ?? 0,
            runAt: input.runAt ?? null,
          },
          actor,
        ),
      ),
  }),
)

const DefineWorkflowInput = builder.inputType('DefineWorkflowInput', {
  description: 'A workflow as data, to be stored under its name.',
  fields: (t) => ({
    definition: t.field({ type: 'JSON', required: true, description: 'See the JSON Schema of the format.' }),
  }),
})

const DefineWorkflowPayload = builder.objectRef<ShownWorkflow>('DefineWorkflowPayload').implement({
  description: 'The workflow, as `startWorkflow` will start it.',
  fields: (t) => ({
    workflow: t.field({
      type: WorkflowRef,
      nullable: false,
      description: 'What was stored.',
      resolve: (stored) => stored,
    }),
  }),
})

const DefineWorkflowResult = builder.unionType('DefineWorkflowResult', {
  description: 'The workflow, or what is wrong with it.',
  resolveType: refusalOr('DefineWorkflowPayload'),
  types: [DefineWorkflowPayload, invalidDefinition, invalidInput, permissionDenied],
})

builder.mutationField('defineWorkflow', (t) =>
  t.field({
    type: DefineWorkflowResult,
    nullable: false,
    description:
      'Stores a workflow given as data under its name. Storing the same again changes nothing; runs under way keep the graph that they have.',
    args: { input: t.arg({ type: DefineWorkflowInput, required: true, description: 'What to store.' }) },
    resolve: async (_, { input }, { executor, actor }) =>
      orRefusal(
        defineWorkflow(executor, input.definition, actor).then((compiled) => ({ compiled, registered: undefined })),
      ),
  }),
)
