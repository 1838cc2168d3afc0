import { showRunId } from '../core/ids.ts'
import { withoutNulls } from '../core/json.ts'
import type { EndedRun } from '../remote-worker/ends.ts'
import type { Handed } from '../remote-worker/hand-over.ts'
import type { Renewed } from '../remote-worker/leases.ts'
import type { RegisteredWorker } from '../remote-worker/remote-workers.ts'
import { claimRuns, completeAttempt, failAttempt, renewLeases, stopWorker } from '../remote-worker/requests.ts'
import { ActionRef } from './action.ts'
import { builder } from './builder.ts'
import { ClaimedRunRef, RemoteWorkerRef } from './claimed-run.ts'
import { errorTypes, orRefusal, refusalOr } from './errors.ts'
import {
  ClaimRunsInput,
  CompleteAttemptInput,
  FailAttemptInput,
  RegisterWorkerInput,
  RenewLeasesInput,
  StopWorkerInput,
} from './remote-worker-inputs.ts'
import { RunRef } from './run.ts'

const leaseMs = {
  nullable: false,
  description: 'Milliseconds from now for which the worker may have runs without renewing.',
} as const

const RegisterWorkerPayload = builder.objectRef<RegisteredWorker>('RegisterWorkerPayload').implement({
  description: 'The worker. It may claim runs from now on.',
  fields: (t) => ({
    worker: t.field({
      type: RemoteWorkerRef,
      nullable: false,
      description: 'With the id that it is to give in all that it asks.',
      resolve: ({ worker }) => worker,
    }),
    leaseMs: t.exposeInt('leaseMs', leaseMs),
    actions: t.field({
      type: [ActionRef],
      nullable: { list: false, items: false },
      description: 'Its actions as callers see them: in the newest version that a live worker has.',
      resolve: ({ actions }) => [...actions],
    }),
  }),
})

const ClaimRunsPayload = builder.objectRef<{ runs: Handed[] }>('ClaimRunsPayload').implement({
  description: 'What the worker is given. It has these runs until their ends are recorded, or its lease expires.',
  fields: (t) => ({
    runs: t.field({
      type: [ClaimedRunRef],
      nullable: { list: false, items: false },
      description: 'None where there was nothing for as long as it waited.',
      resolve: ({ runs }) => runs,
    }),
  }),
})

const RenewLeasesPayload = builder.objectRef<Renewed & { leaseMs: number }>('RenewLeasesPayload').implement({
  description: 'The lease goes on.',
  fields: (t) => ({
    leaseMs: t.exposeInt('leaseMs', leaseMs),
    lost: t.idList({
      nullable: { list: false, items: false },
      description:
        'Runs of which the worker has the attempt no longer: canceled, or given to others. It is to drop them.',
      resolve: ({ lost }) => lost.map(showRunId),
    }),
    missed: t.exposeBoolean('missed', {
      nullable: false,
      description: 'It was given runs that it did not name: it is to claim with `holding`.',
    }),
  }),
})

function endedPayload(name: string) {
  return builder.objectRef<EndedRun>(name).implement({
    description: 'The end of the attempt is recorded.',
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: false, description: 'As it now stands.', resolve: ({ run }) => run }),
      replayed: t.exposeBoolean('replayed', { nullable: false, description: 'Whether it had been recorded before.' }),
    }),
  })
}

const CompleteAttemptPayload = endedPayload('CompleteAttemptPayload')
const FailAttemptPayload = endedPayload('FailAttemptPayload')

const StopWorkerPayload = builder.objectRef<{ handedOn: number }>('StopWorkerPayload').implement({
  description: 'The worker is gone.',
  fields: (t) => ({
    handedOn: t.exposeInt('handedOn', { nullable: false, description: 'How many runs it had, which go to others.' }),
  }),
})

const { invalidDefinition, invalidInput, permissionDenied, workerNotFound, runNotFound, attemptLost } = errorTypes

const RegisterWorkerResult = builder.unionType('RegisterWorkerResult', {
  description: 'The worker, or why it was not registered.',
  resolveType: refusalOr('RegisterWorkerPayload'),
  types: [RegisterWorkerPayload, invalidDefinition, invalidInput, permissionDenied],
})

const ClaimRunsResult = builder.unionType('ClaimRunsResult', {
  description: 'What the worker is given, or why it is given nothing.',
  resolveType: refusalOr('ClaimRunsPayload'),
  types: [ClaimRunsPayload, workerNotFound, invalidInput, permissionDenied],
})

const RenewLeasesResult = builder.unionType('RenewLeasesResult', {
  description: 'What goes on, or why nothing does.',
  resolveType: refusalOr('RenewLeasesPayload'),
  types: [RenewLeasesPayload, workerNotFound, invalidInput, permissionDenied],
})

const CompleteAttemptResult = builder.unionType('CompleteAttemptResult', {
  description: 'The run, or why nothing was recorded.',
  resolveType: refusalOr('CompleteAttemptPayload'),
  types: [CompleteAttemptPayload, runNotFound, attemptLost, invalidInput, permissionDenied],
})

const FailAttemptResult = builder.unionType('FailAttemptResult', {
  description: 'The run, or why nothing was recorded.',
  resolveType: refusalOr('FailAttemptPayload'),
  types: [FailAttemptPayload, runNotFound, attemptLost, invalidInput, permissionDenied],
})

const StopWorkerResult = builder.unionType('StopWorkerResult', {
  description: 'What became of its runs.',
  resolveType: refusalOr('StopWorkerPayload'),
  types: [StopWorkerPayload, invalidInput, permissionDenied],
})

builder.queryField('workers', (t) =>
  t.field({
    type: [RemoteWorkerRef],
    nullable: { list: false, items: false },
    description: 'The live remote workers, the oldest first.',
    resolve: (_, __, { executor }) => executor.remoteWorkers.known.live.get(),
  }),
)

builder.mutationField('registerWorker', (t) =>
  t.field({
    type: RegisterWorkerResult,
    nullable: false,
    description: 'Registers a process that pulls runs, with its actions. Each call makes another worker.',
    args: { input: t.arg({ type: RegisterWorkerInput, required: true, description: 'The worker.' }) },
    resolve: (_, { input: { name, actions } }, { executor, actor }) => {
      const registration = { name: name ?? 'worker', actions: actions.map((action) => withoutNulls(action)) }
      return orRefusal(executor.remoteWorkers.register(registration, actor))
    },
  }),
)

builder.mutationField('claimRuns', (t) =>
  t.field({
    type: ClaimRunsResult,
    nullable: false,
    description: 'Gives a worker runs to execute, as soon as there are some.',
    args: { input: t.arg({ type: ClaimRunsInput, required: true, description: 'What it has room for.' }) },
    resolve: (_, { input }, { executor, gone }) =>
      orRefusal(claimRuns(executor.remoteWorkers, input, gone()).then((runs) => ({ runs }))),
  }),
)

builder.mutationField('renewLeases', (t) =>
  t.field({
    type: RenewLeasesResult,
    nullable: false,
    description: "Renews a worker's lease, and tells it what was taken away from it.",
    args: { input: t.arg({ type: RenewLeasesInput, required: true, description: 'What it has in hand.' }) },
    resolve: (_, { input }, { executor, gone }) =>
      orRefusal(
        renewLeases(executor.remoteWorkers, input, gone()).then((renewed) => ({
          ...renewed,
          leaseMs: executor.options.leaseMs,
        })),
      ),
  }),
)

builder.mutationField('completeAttempt', (t) =>
  t.field({
    type: CompleteAttemptResult,
    nullable: false,
    description: 'Says that an attempt succeeded. To say it again changes nothing.',
    args: { input: t.arg({ type: CompleteAttemptInput, required: true, description: 'The attempt.' }) },
    resolve: (_, { input }, { executor }) => orRefusal(completeAttempt(executor.remoteWorkers, input)),
  }),
)

builder.mutationField('failAttempt', (t) =>
  t.field({
    type: FailAttemptResult,
    nullable: false,
    description: 'Says that an attempt did not succeed. To say it again changes nothing.',
    args: { input: t.arg({ type: FailAttemptInput, required: true, description: 'The attempt.' }) },
    resolve: (_, { input }, { executor }) => orRefusal(failAttempt(executor.remoteWorkers, input)),
  }),
)

builder.mutationField('stopWorker', (t) =>
  t.field({
    type: StopWorkerResult,
    nullable: false,
    description: 'A worker says good-bye: what it has goes to others at once.',
    args: { input: t.arg({ type: StopWorkerInput, required: true, description: 'The worker.' }) },
    resolve: (_, { input }, { executor }) =>
      orRefusal(stopWorker(executor.remoteWorkers, input).then((handedOn) => ({ handedOn }))),
  }),
)
