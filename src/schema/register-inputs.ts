import { builder } from './builder.ts'
import { EffectRef } from './enums.ts'

const BackoffInput = builder.inputType('BackoffInput', {
  description: 'How long to wait between attempts. What is absent has the default.',
  fields: (t) => ({
    initialMs: t.float({ description: 'Milliseconds before the second attempt; default 500.' }),
    factor: t.float({ description: 'Each further wait is so many times longer; default 2.' }),
    maxMs: t.float({ description: 'No wait is longer, in milliseconds; default 60000.' }),
    jitter: t.boolean({ description: 'Wait a random part of the computed time; default true.' }),
  }),
})

const RetryPolicyInput = builder.inputType('RetryPolicyInput', {
  description: 'How failed attempts are repeated. What is absent has the default.',
  fields: (t) => ({
    maxAttempts: t.int({ description: 'In all, the first included; default 3.' }),
    backoff: t.field({ type: BackoffInput, description: 'The waits.' }),
    deadlineMs: t.float({ description: 'Milliseconds from the first attempt after which no further one begins.' }),
  }),
})

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]

/** What is given of any action that something else than the server executes. */
export function outsideFields(t: InputFields) {
  return {
    description: t.string({ description: 'What it does.' }),
    paramsSchema: t.field({
      type: 'JSON',
      description:
        'A JSON Schema (2020-12) of the params; its defaults are filled in. Without pattern, patternProperties, $id, $dynamicRef and unevaluated*; $ref only to # and #/$defs/name. Of a worker, what is not supported is left out: it checks that itself. Default: any JSON value.',
    }),
    resultSchema: t.field({ type: 'JSON', description: 'A JSON Schema of the result, likewise.' }),
    effect: t.field({
      type: EffectRef,
      description:
        'What a lost outcome means: idempotent (default) or unsafe; transactional is only what the server does.',
    }),
    retry: t.field({ type: RetryPolicyInput, description: 'How failures are repeated.' }),
    timeoutMs: t.int({ description: 'Milliseconds that one attempt may take; default 60000.' }),
    probe: t.boolean({ description: 'Whether it can be found out that an unsafe effect happened; default false.' }),
    compensate: t.boolean({ description: 'Whether what was done can be undone; default false.' }),
  }
}

/** What can be given when an action is registered, and changed later. */
function settable(t: InputFields) {
  return {
    ...outsideFields(t),
    concurrency: t.int({ description: 'How many runs one worker executes at once. Default: as many as it does.' }),
    callbackMs: t.int({
      description:
        'Milliseconds that the service may take to call back after it has answered 202. Default: it must answer at once.',
    }),
  }
}

export const RegisterActionInput = builder.inputType('RegisterActionInput', {
  description: 'An action that a service executes when it is called over HTTP.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What `executeAction` takes.' }),
    url: t.string({ required: true, description: 'Where the service is; it is sent a POST.' }),
    ...settable(t),
  }),
})

export const UpdateActionInput = builder.inputType('UpdateActionInput', {
  description: 'What changes about a registered action: absent members stay as they are, null gives the default back.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Of the action.' }),
    url: t.string({ description: 'Where the service is.' }),
    ...settable(t),
  }),
})

export const RemoveActionInput = builder.inputType('RemoveActionInput', {
  description: 'A registered action to remove.',
  fields: (t) => ({ name: t.string({ required: true, description: 'Of the action.' }) }),
})

export const RotateActionSecretInput = builder.inputType('RotateActionSecretInput', {
  description: 'A registered action to make another secret for.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Of the action.' }),
    keepPreviousMs: t.float({
      description: 'Milliseconds that calls are signed with the secret before as well: 0 to 30 days, default a day.',
    }),
  }),
})
