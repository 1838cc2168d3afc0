import { showRunId } from '../core/ids.ts'
import type { EventRow } from '../db/rows.ts'
import { builder } from './builder.ts'
import { RunEventReasonRef, RunStatusRef } from './enums.ts'
import { RunErrorRef } from './run-error.ts'

export const RunEventRef = builder.objectRef<EventRow>('RunEvent').implement({
  description: 'One transition of a run. Append-only: a retry adds events and erases none.',
  fields: (t) => ({
    runId: t.id({ nullable: false, description: 'The run that changed.', resolve: (event) => showRunId(event.runId) }),
    seq: t.exposeInt('seq', {
      nullable: false,
      description: "Counts from 1, without gaps, in the stream of the run's root. A subscription resumes after it.",
    }),
    at: t.expose('at', { type: 'DateTime', nullable: false, description: 'When it was recorded.' }),
    step: t.exposeString('stepKey', { description: 'The key of the step that changed; null for the root.' }),
    from: t.expose('fromStatus', {
      type: RunStatusRef,
      description: 'The state before; null when the run was created.',
    }),
    to: t.expose('toStatus', { type: RunStatusRef, nullable: false, description: 'The state after.' }),
    reason: t.expose('reason', { type: RunEventReasonRef, nullable: false, description: 'Why.' }),
    attempt: t.exposeInt('attempt', { description: 'The number of the attempt that began or ended.' }),
    error: t.field({
      type: RunErrorRef,
      description: 'What the attempt failed with.',
      resolve: (event) => event.error,
    }),
    actor: t.exposeString('actor', {
      description: 'Who asked for it: the name of an API key; null for the server itself.',
    }),
    data: t.field({
      type: 'JSON',
      description: 'More about it: `availableAt` of what was scheduled, the `reason` that an operator gave.',
      resolve: (event) => event.data ?? null,
    }),
  }),
})
