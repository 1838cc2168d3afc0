import { downstreamKey, showRunId } from '../core/ids.ts'
import type { RemoteWorker } from '../db/remote-workers.ts'
import type { Done } from '../executor/workflow/undo-run.ts'
import type { Handed } from '../remote-worker/hand-over.ts'
import { builder } from './builder.ts'

const OperationRef = builder.enumType('ClaimedOperation', {
  description: 'What a worker is to do.',
  values: {
    EXECUTE: { description: 'Execute the action.' },
    COMPENSATE: { description: 'Undo what it did.' },
  } as const,
})

function doneOf({ run }: Handed): Done | undefined {
  return run.undoes === null ? undefined : (run.params as Done)
}

export const ClaimedRunRef = builder.objectRef<Handed>('ClaimedRun').implement({
  description: 'One attempt that a worker is to make.',
  fields: (t) => ({
    runId: t.id({ nullable: false, description: 'run_ and 26 characters.', resolve: ({ run }) => showRunId(run.id) }),
    name: t.string({ nullable: false, description: 'Of the action.', resolve: ({ run }) => run.name }),
    attempt: t.int({ nullable: false, description: 'Its number, from 1.', resolve: ({ run }) => run.attempt }),
    operation: t.field({
      type: OperationRef,
      nullable: false,
      description: 'What to do.',
      resolve: ({ run }) => (run.undoes === null ? 'EXECUTE' : 'COMPENSATE'),
    }),
    params: t.field({
      type: 'JSON',
      description: 'As the caller gave them; of what is to be undone.',
      resolve: (handed) => (doneOf(handed) ?? handed.run).params,
    }),
    result: t.field({
      type: 'JSON',
      description: 'Of what is to be undone.',
      resolve: (handed) => doneOf(handed)?.result ?? null,
    }),
    idempotencyKey: t.string({
      nullable: false,
      description: 'To pass on to the systems behind: the same for every attempt of one intent.',
      resolve: (handed) => doneOf(handed)?.idempotencyKey ?? downstreamKey(handed.run.id, handed.run.generation),
    }),
    probe: t.boolean({
      nullable: false,
      description:
        'The outcome of an earlier attempt was lost: find out whether its effect happened before doing it again.',
      resolve: ({ run }) => run.probe,
    }),
    lastAttempt: t.boolean({
      nullable: false,
      description: 'With `probe`: no attempt is left to do it again.',
      resolve: ({ run, action }) => run.failures >= action.retry.maxAttempts,
    }),
    timeoutMs: t.int({
      nullable: false,
      description: 'Milliseconds that the attempt may take.',
      resolve: ({ action }) => action.timeoutMs,
    }),
    lastHeartbeat: t.field({
      type: 'JSON',
      description: 'The progress that an earlier attempt recorded.',
      resolve: ({ run }) => run.heartbeat,
    }),
  }),
})

export const RemoteWorkerRef = builder.objectRef<RemoteWorker>('RemoteWorker').implement({
  description: 'A process elsewhere that pulls runs and executes them.',
  fields: (t) => ({
    id: t.exposeID('id', { nullable: false, description: 'As attempts name it.' }),
    name: t.exposeString('name', { nullable: false, description: 'As it calls itself.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: false, description: 'When it registered.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: false,
      description: 'When it last gave a sign of life.',
    }),
    actions: t.stringList({
      nullable: false,
      description: 'What it executes, each with the version that it has: name@version.',
      resolve: ({ actions }) => Object.entries(actions).map(([name, version]) => `${name}@${version}`),
    }),
  }),
})
