import type { ControlRequest } from '../executor/commands/control.ts'
import { RESOLUTIONS } from '../executor/commands/resolve-run.ts'
import { builder } from './builder.ts'
import { described } from './enums.ts'

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]

/** What every control mutation takes. */
function common(t: InputFields) {
  return {
    id: t.id({ required: true, description: 'Of the run.' }),
    reason: t.string({ description: 'For the record.' }),
    idempotencyKey: t.string({ description: 'Names this intent: clicking twice does it once.' }),
  }
}

interface CommonInput {
  readonly id: string
  readonly reason?: string | null | undefined
  readonly idempotencyKey?: string | null | undefined
}

export function requestOf({ id, reason, idempotencyKey }: CommonInput): ControlRequest {
  return { id, reason: reason ?? null, idempotencyKey: idempotencyKey ?? null }
}

export const RetryRunInput = builder.inputType('RetryRunInput', {
  description: 'A failed, canceled or indeterminate run to run again.',
  fields: (t) => ({
    ...common(t),
    step: t.string({
      description:
        'Only this step of a workflow: its key, `key[2]` for one of a list, `key/inner` for one of a sub-workflow. Absent: all that hold the run up.',
    }),
    params: t.field({ type: 'JSON', description: 'Amended params. They are checked, and recorded with those before.' }),
    newKey: t.boolean({
      description: 'Pass a new key downstream: for a service that stored "declined" and would replay it for ever.',
    }),
  }),
})

export const CancelRunInput = builder.inputType('CancelRunInput', { description: 'A run to cancel.', fields: common })
export const PauseRunInput = builder.inputType('PauseRunInput', { description: 'A run to pause.', fields: common })
export const ResumeRunInput = builder.inputType('ResumeRunInput', { description: 'A paused run.', fields: common })

export const SkipStepInput = builder.inputType('SkipStepInput', {
  description: 'A step to skip.',
  fields: (t) => ({
    ...common(t),
    step: t.string({ required: true, description: 'Its key, or a path as for `retryRun`.' }),
    result: t.field({ type: 'JSON', description: 'What those after it get in the place of its result; default null.' }),
  }),
})

const ResolutionRef = builder.enumType('Resolution', {
  description: 'What somebody found out about an effect whose outcome was lost.',
  values: described(RESOLUTIONS, {
    SUCCEEDED: 'It happened; `result` is what it gave.',
    FAILED: 'It did not happen: the run has failed.',
    RETRY: 'It did not happen: the run is to run again.',
  }),
})

export const ResolveRunInput = builder.inputType('ResolveRunInput', {
  description: 'An INDETERMINATE run, and what became of it.',
  fields: (t) => ({
    ...common(t),
    step: t.string({ description: 'The step of a workflow, by its key or path; absent for a single action.' }),
    outcome: t.field({ type: ResolutionRef, required: true, description: 'What was found out.' }),
    result: t.field({ type: 'JSON', description: 'With SUCCEEDED: the result; default null.' }),
  }),
})

export const SignalRunInput = builder.inputType('SignalRunInput', {
  description: 'A signal to a workflow run, or a decision that it asks for.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Of the workflow run.' }),
    name: t.string({ required: true, description: 'Of the signal or approval.' }),
    payload: t.field({
      type: 'JSON',
      description: 'What it brings; default null. For an approval `{ approved, comment, payload }`.',
    }),
    idempotencyKey: t.string({ description: 'Names this signal: sending it twice brings it once.' }),
  }),
})

export const ForkRunInput = builder.inputType('ForkRunInput', {
  description: 'A run to begin again from one of its steps, as a new run.',
  fields: (t) => ({
    ...common(t),
    fromStep: t.string({
      required: true,
      description: 'The first step to run anew; what succeeded before it is taken over.',
    }),
  }),
})
