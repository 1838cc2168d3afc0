import { countRuns } from '../db/reads/run-list.ts'
import { type BulkOperation, type BulkOutcome, bulk, MAX_BULK } from '../executor/commands/bulk.ts'
import { builder } from './builder.ts'
import { errorTypes, orRefusal, Refusal, refusalOr, refusalType } from './errors.ts'
import { RunRef } from './run.ts'
import { RunFilterRef, readFilter } from './run-list.ts'

builder.queryField('countRuns', (t) =>
  t.int({
    nullable: false,
    description: `How many root runs a filter finds, counted up to ${MAX_BULK + 1}: before they are retried, canceled, paused or resumed together.`,
    args: { filter: t.arg({ type: RunFilterRef, required: true, description: 'Which ones.' }) },
    resolve: (_, { filter }, { executor }) => countRuns(executor.db, readFilter(filter), MAX_BULK),
  }),
)

const BulkInput = builder.inputType('BulkInput', {
  description: 'Runs to do the same to.',
  fields: (t) => ({
    filter: t.field({ type: RunFilterRef, required: true, description: `Which root runs; at most ${MAX_BULK}.` }),
    expected: t.int({
      required: true,
      description: 'How many `countRuns` has found: with any other number nothing happens.',
    }),
    reason: t.string({ description: 'For the record of each run.' }),
    idempotencyKey: t.string({
      required: true,
      description: 'Names this intent, in at most 200 characters: repeating it does nothing twice.',
    }),
  }),
})

const { runNotFound, invalidInput, invalidKey, mismatch, invalidTransition, permissionDenied } = errorTypes

const RefusedRef = builder.unionType('BulkRefusal', {
  description: 'Why a run was left as it is.',
  resolveType: refusalType,
  types: [runNotFound, invalidTransition, mismatch, invalidInput, invalidKey, permissionDenied],
})

const OutcomeRef = builder.objectRef<BulkOutcome>('BulkOutcome').implement({
  description: 'What became of one run.',
  fields: (t) => ({
    run: t.field({
      type: RunRef,
      description: 'As it stands.',
      resolve: async ({ runId, done }, _, { loaders }) => done?.run ?? (await loaders.runs.load(runId)) ?? null,
    }),
    refused: t.field({
      type: RefusedRef,
      description: 'Why it was left as it is; null where it was changed.',
      resolve: ({ refused }) => (refused ? new Refusal(refused) : null),
    }),
  }),
})

const BulkPayload = builder.objectRef<BulkOutcome[]>('BulkPayload').implement({
  description: 'What became of each run.',
  fields: (t) => ({
    outcomes: t.field({
      type: [OutcomeRef],
      nullable: { list: false, items: false },
      description: 'One for each run that was found, the newest first.',
      resolve: (outcomes) => outcomes,
    }),
  }),
})

const BulkResult = builder.unionType('BulkResult', {
  description: 'What became of each run, or why nothing was done.',
  resolveType: refusalOr('BulkPayload'),
  types: [BulkPayload, invalidInput, invalidKey, permissionDenied],
})

const FIELDS: Record<BulkOperation, [name: 'retryRuns' | 'cancelRuns' | 'pauseRuns' | 'resumeRuns', what: string]> = {
  retry: ['retryRuns', 'Retries everything that holds the runs up'],
  cancel: ['cancelRuns', 'Cancels the runs'],
  pause: ['pauseRuns', 'Pauses the runs'],
  resume: ['resumeRuns', 'Lets the paused runs go on'],
}

for (const [operation, [name, what]] of Object.entries(FIELDS) as [BulkOperation, (typeof FIELDS)[BulkOperation]][])
  builder.mutationField(name, (t) =>
    t.field({
      type: BulkResult,
      nullable: false,
      description: `${what} that a filter finds, each with its own outcome.`,
      args: { input: t.arg({ type: BulkInput, required: true, description: 'Which runs.' }) },
      resolve: (_, { input: { filter, expected, reason, idempotencyKey } }, { executor, actor }) =>
        orRefusal(
          bulk(
            executor,
            operation,
            { filter: readFilter(filter), expected, reason: reason ?? null, idempotencyKey },
            actor,
          ),
        ),
    }),
  )
