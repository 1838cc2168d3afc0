import { ATTEMPT_FAILURE_MEANINGS, ATTEMPT_FAILURES } from '../core/remote-worker/failure.ts'
import { builder } from './builder.ts'
import { described } from './enums.ts'
import { outsideFields } from './register-inputs.ts'

const WorkerActionInput = builder.inputType('WorkerActionInput', {
  description: 'An action as a worker executes it. Absent members have the defaults.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What `executeAction` takes.' }),
    ...outsideFields(t),
  }),
})

export const RegisterWorkerInput = builder.inputType('RegisterWorkerInput', {
  description: 'A process that pulls runs and executes them.',
  fields: (t) => ({
    name: t.string({
      description: 'For people, and part of the id: 1 to 63 letters, digits, ".", "_", "-". Default: worker.',
    }),
    actions: t.field({ type: [WorkerActionInput], required: true, description: 'What it executes; 1 to 200.' }),
  }),
})

const AttemptInput = builder.inputType('AttemptInput', {
  description: 'One attempt.',
  fields: (t) => ({
    runId: t.id({ required: true, description: 'Of the run.' }),
    attempt: t.int({ required: true, description: 'Its number.' }),
  }),
})

const workerId = { required: true, description: 'As `registerWorker` gave it.' } as const

export const ClaimRunsInput = builder.inputType('ClaimRunsInput', {
  description: 'What a worker has room for.',
  fields: (t) => ({
    workerId: t.id(workerId),
    names: t.stringList({ required: true, description: 'Actions that it has room for, of those that it registered.' }),
    limit: t.int({ required: true, description: 'How many runs at most: 1 to 1000.' }),
    waitMs: t.int({
      defaultValue: 0,
      description:
        'Milliseconds to wait for something, 0 to 60000. A second request of the worker ends the wait of the first.',
    }),
    holding: t.field({
      type: [AttemptInput],
      description:
        'All that the worker has in hand, after an answer was lost: what it was given and does not have comes first, again.',
    }),
  }),
})

const LeaseInput = builder.inputType('LeaseInput', {
  description: 'An attempt that the worker has in hand.',
  fields: (t) => ({
    runId: t.id({ required: true, description: 'Of the run.' }),
    attempt: t.int({ required: true, description: 'Its number.' }),
    heartbeat: t.field({ type: 'JSON', description: 'How far it has come, up to 64 KiB; absent: nothing new.' }),
  }),
})

export const RenewLeasesInput = builder.inputType('RenewLeasesInput', {
  description: 'A sign of life.',
  fields: (t) => ({
    workerId: t.id(workerId),
    attempts: t.field({ type: [LeaseInput], required: true, description: 'All that it has in hand.' }),
    waitMs: t.int({
      defaultValue: 0,
      description:
        'Milliseconds to wait for the word that an attempt was taken away, 0 to 60000; at most a third of the lease.',
    }),
  }),
})

export const CompleteAttemptInput = builder.inputType('CompleteAttemptInput', {
  description: 'An attempt that succeeded.',
  fields: (t) => ({
    workerId: t.id(workerId),
    runId: t.id({ required: true, description: 'Of the run.' }),
    attempt: t.int({ required: true, description: 'Its number.' }),
    result: t.field({ type: 'JSON', description: 'What it gave; default null.' }),
    confirmed: t.boolean({
      defaultValue: false,
      description: 'The probe found that an earlier attempt had succeeded.',
    }),
  }),
})

const AttemptErrorInput = builder.inputType('AttemptErrorInput', {
  description: 'What went wrong.',
  fields: (t) => ({
    code: t.string({ description: 'For programs: an upper-case word. Default: ACTION_FAILED.' }),
    message: t.string({ required: true, description: 'For people.' }),
    retryable: t.boolean({ defaultValue: true, description: 'Whether another attempt could help.' }),
    details: t.field({ type: 'JSON', description: 'More, for programs.' }),
  }),
})

const AttemptFailureRef = builder.enumType('AttemptFailure', {
  description: 'In what way an attempt did not succeed.',
  values: described(ATTEMPT_FAILURES, ATTEMPT_FAILURE_MEANINGS),
})

export const FailAttemptInput = builder.inputType('FailAttemptInput', {
  description: 'An attempt that did not succeed.',
  fields: (t) => ({
    workerId: t.id(workerId),
    runId: t.id({ required: true, description: 'Of the run.' }),
    attempt: t.int({ required: true, description: 'Its number.' }),
    failure: t.field({ type: AttemptFailureRef, defaultValue: 'FAILED', description: 'In what way.' }),
    error: t.field({ type: AttemptErrorInput, required: true, description: 'Recorded with the attempt.' }),
    retryAfterMs: t.float({ description: 'Milliseconds before the next attempt, instead of the backoff.' }),
  }),
})

export const StopWorkerInput = builder.inputType('StopWorkerInput', {
  description: 'A worker that stops.',
  fields: (t) => ({
    workerId: t.id(workerId),
    holding: t.field({
      type: [AttemptInput],
      description:
        'What it has begun and says nothing more of. All else that it was given never began. Absent: all may have begun.',
    }),
  }),
})
