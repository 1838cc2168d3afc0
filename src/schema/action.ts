import type { Backoff, RetryPolicy } from '../core/retry.ts'
import type { RegisteredAction } from '../executor/registry.ts'
import { builder } from './builder.ts'
import { RemoteWorkerRef } from './claimed-run.ts'
import { EffectRef } from './enums.ts'

const BackoffRef = builder.objectRef<Backoff>('Backoff').implement({
  description: 'How long to wait between attempts: exponentially longer.',
  fields: (t) => ({
    initialMs: t.exposeFloat('initialMs', { nullable: false, description: 'Milliseconds before the second attempt.' }),
    factor: t.exposeFloat('factor', { nullable: false, description: 'Each further wait is so many times longer.' }),
    maxMs: t.exposeFloat('maxMs', { nullable: false, description: 'No wait is longer, in milliseconds.' }),
    jitter: t.exposeBoolean('jitter', { nullable: false, description: 'Wait a random part of the computed time.' }),
  }),
})

const RetryRef = builder.objectRef<RetryPolicy>('RetryPolicy').implement({
  description: 'How failed attempts are repeated.',
  fields: (t) => ({
    maxAttempts: t.exposeInt('maxAttempts', {
      nullable: false,
      description: 'In all, the first included; those cut by a crash do not count.',
    }),
    backoff: t.field({ type: BackoffRef, nullable: false, description: 'The waits.', resolve: (r) => r.backoff }),
    deadlineMs: t.float({
      description: 'Milliseconds from the first attempt after which no further one begins; null: none.',
      resolve: (r) => r.deadlineMs ?? null,
    }),
  }),
})

export const ActionRef = builder.objectRef<RegisteredAction>('Action').implement({
  description: 'A named, typed, single operation.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'What `executeAction` takes.' }),
    version: t.exposeString('version', { nullable: false, description: 'Recorded with each run.' }),
    description: t.string({ description: 'What it does.', resolve: (action) => action.description ?? null }),
    effect: t.expose('effect', { type: EffectRef, nullable: false, description: 'What a lost outcome means.' }),
    paramsSchema: t.field({
      type: 'JSON',
      description: 'JSON Schema (2020-12) of what a caller gives; null where the schema library cannot say.',
      resolve: (action) => action.paramsJsonSchema,
    }),
    resultSchema: t.field({
      type: 'JSON',
      description: 'JSON Schema (2020-12) of what a caller gets; null where the schema library cannot say.',
      resolve: (action) => action.resultJsonSchema,
    }),
    retry: t.field({
      type: RetryRef,
      nullable: false,
      description: 'Its retry policy.',
      resolve: (action) => action.retry,
    }),
    timeoutMs: t.exposeInt('timeoutMs', { nullable: false, description: 'Milliseconds that one attempt may take.' }),
    url: t.string({
      description: 'Where the service is that executes it; null where the server itself or a remote worker does.',
      resolve: ({ http }) => http?.url ?? null,
    }),
    isRemote: t.boolean({
      nullable: false,
      description: 'Whether remote workers execute it, which pull its runs.',
      resolve: ({ remote }) => remote === true,
    }),
    workers: t.field({
      type: [RemoteWorkerRef],
      nullable: { list: false, items: false },
      description: 'The live remote workers that execute it. With none, runs of a remote action stay QUEUED.',
      resolve: async ({ name }, _, { executor }) => {
        const live = await executor.remoteWorkers.known.live.get()
        return live.filter(({ actions }) => Object.hasOwn(actions, name))
      },
    }),
    hasProbe: t.boolean({
      nullable: false,
      description: 'Whether a lost outcome of an UNSAFE effect can be found out.',
      resolve: (action) => action.probe !== undefined,
    }),
  }),
})

builder.queryField('actions', (t) =>
  t.field({
    type: [ActionRef],
    nullable: { list: false, items: false },
    description: 'The actions that this server has registered, by name.',
    resolve: (_, __, { executor }) => executor.registry.all(),
  }),
)

builder.queryField('action', (t) =>
  t.field({
    type: ActionRef,
    description: 'An action by its name; null when there is none.',
    args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
    resolve: (_, { name }, { executor }) => executor.registry.get(name) ?? null,
  }),
)
