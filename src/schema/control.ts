import { cancelRun } from '../executor/commands/cancel-run.ts'
import type { Executed } from '../executor/commands/execution.ts'
import { forkRun } from '../executor/commands/fork-run.ts'
import { pauseRun, resumeRun } from '../executor/commands/pause-run.ts'
import { resolveRun } from '../executor/commands/resolve-run.ts'
import { retryRun } from '../executor/commands/retry-run.ts'
import { signalRun } from '../executor/commands/signal-run.ts'
import { skipStep } from '../executor/commands/skip-step.ts'
import { builder } from './builder.ts'
import * as inputs from './control-inputs.ts'
import { errorTypes, orRefusal, refusalOr } from './errors.ts'
import { RunRef } from './run.ts'

const { requestOf } = inputs
function payload(name: string, description: string) {
  return builder.objectRef<Executed>(name).implement({
    description,
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: false, description: 'As it stands.', resolve: ({ run }) => run }),
      replayed: t.exposeBoolean('replayed', {
        nullable: false,
        description: 'False only in the answer to the call that did it.',
      }),
    }),
  })
}

const { runNotFound, stepNotFound, invalidInput, invalidKey, mismatch, invalidTransition, permissionDenied } =
  errorTypes
const always = [runNotFound, invalidInput, invalidKey, mismatch, invalidTransition, permissionDenied]
const { actionNotFound, invalidParams, payloadTooLarge } = errorTypes

type ErrorType = (typeof errorTypes)[keyof typeof errorTypes]

/** The union that a control mutation answers with. */
function resultOf(mutation: string, changed: string, refusals: readonly ErrorType[] = []) {
  return builder.unionType(`${mutation}Result`, {
    description: 'The run, or why nothing was changed.',
    resolveType: refusalOr(`${mutation}Payload`),
    types: [payload(`${mutation}Payload`, changed), ...always, ...refusals],
  })
}

const arg = (type: string) => `What to ${type}.`

builder.mutationField('retryRun', (t) =>
  t.field({
    type: resultOf('RetryRun', 'The run that runs again.', [
      stepNotFound,
      actionNotFound,
      invalidParams,
      payloadTooLarge,
    ]),
    nullable: false,
    description:
      'Runs a failed, canceled or indeterminate run again, in place: its history stays. Of a workflow one step, or all that hold it up; what depends on them follows.',
    args: { input: t.arg({ type: inputs.RetryRunInput, required: true, description: arg('retry') }) },
    resolve: (_, { input }, { executor, actor }) => {
      const { step, params, newKey } = input
      const request = { ...requestOf(input), step: step ?? null, params, newKey: newKey ?? false }
      return orRefusal(retryRun(executor, request, actor))
    },
  }),
)

builder.mutationField('cancelRun', (t) =>
  t.field({
    type: resultOf('CancelRun', 'The run that was canceled.'),
    nullable: false,
    description:
      'Ends a run that has not ended, with everything below it. Handlers learn of it; what they still do changes nothing.',
    args: { input: t.arg({ type: inputs.CancelRunInput, required: true, description: arg('cancel') }) },
    resolve: (_, { input }, { executor, actor }) => orRefusal(cancelRun(executor, requestOf(input), actor)),
  }),
)

builder.mutationField('pauseRun', (t) =>
  t.field({
    type: resultOf('PauseRun', 'The run that was paused.'),
    nullable: false,
    description: 'Lets nothing new of a run begin. What runs comes to its end, and times go on.',
    args: { input: t.arg({ type: inputs.PauseRunInput, required: true, description: arg('pause') }) },
    resolve: (_, { input }, { executor, actor }) => orRefusal(pauseRun(executor, requestOf(input), actor)),
  }),
)

builder.mutationField('resumeRun', (t) =>
  t.field({
    type: resultOf('ResumeRun', 'The run that goes on.'),
    nullable: false,
    description: 'Lets a paused run go on.',
    args: { input: t.arg({ type: inputs.ResumeRunInput, required: true, description: arg('resume') }) },
    resolve: (_, { input }, { executor, actor }) => orRefusal(resumeRun(executor, requestOf(input), actor)),
  }),
)

builder.mutationField('skipStep', (t) =>
  t.field({
    type: resultOf('SkipStep', 'The run whose step was skipped.', [stepNotFound, invalidParams, payloadTooLarge]),
    nullable: false,
    description: 'Skips a step: those after it go on, with the result given.',
    args: { input: t.arg({ type: inputs.SkipStepInput, required: true, description: arg('skip') }) },
    resolve: (_, { input }, { executor, actor }) => {
      const { step, result } = input
      return orRefusal(skipStep(executor, { ...requestOf(input), step, result: result ?? null }, actor))
    },
  }),
)

builder.mutationField('resolveRun', (t) =>
  t.field({
    type: resultOf('ResolveRun', 'The run that was resolved.', [stepNotFound, invalidParams, payloadTooLarge]),
    nullable: false,
    description: 'Says what became of an effect whose outcome was lost: of an INDETERMINATE run, or a step of one.',
    args: { input: t.arg({ type: inputs.ResolveRunInput, required: true, description: arg('resolve') }) },
    resolve: (_, { input }, { executor, actor }) => {
      const { step, outcome, result } = input
      const request = { ...requestOf(input), step: step ?? null, outcome, result: result ?? null }
      return orRefusal(resolveRun(executor, request, actor))
    },
  }),
)

builder.mutationField('signalRun', (t) =>
  t.field({
    type: resultOf('SignalRun', 'The run that was signaled.', [invalidParams, payloadTooLarge]),
    nullable: false,
    description:
      'Wakes the step that has waited longest for this signal; without one, the signal is kept until a step waits. Of an approval it is the decision.',
    args: { input: t.arg({ type: inputs.SignalRunInput, required: true, description: arg('signal') }) },
    resolve: (_, { input }, { executor, actor }) => {
      const { name, payload } = input
      return orRefusal(signalRun(executor, { ...requestOf(input), name, payload: payload ?? null }, actor))
    },
  }),
)

builder.mutationField('forkRun', (t) =>
  t.field({
    type: resultOf('ForkRun', 'The new run.', [stepNotFound]),
    nullable: false,
    description:
      'Starts a new run of the same graph and params that takes over what had succeeded before a step, and runs the step and everything after it anew.',
    args: { input: t.arg({ type: inputs.ForkRunInput, required: true, description: arg('fork') }) },
    resolve: (_, { input }, { executor, actor }) =>
      orRefusal(forkRun(executor, { ...requestOf(input), fromStep: input.fromStep }, actor)),
  }),
)
