import type { RunRow } from '../db/rows.ts'
import { previewRetry, type RetryPreview } from '../executor/commands/retry-preview.ts'
import { builder } from './builder.ts'
import { errorTypes, orRefusal, refusalOr } from './errors.ts'
import { RunRef } from './run.ts'

const RetryPreviewRef = builder.objectRef<RetryPreview>('RetryPreview').implement({
  description: 'What a retry would do.',
  fields: (t) => {
    const runs = (description: string, of: (preview: RetryPreview) => RunRow[]) =>
      t.field({ type: [RunRef], nullable: { list: false, items: false }, description, resolve: of })
    return {
      again: runs('Run again: what is retried, and the steps that had run on what it left.', ({ again }) => again),
      next: runs('Have not run yet, and may once the others have.', ({ next }) => next),
      kept: runs('Stay as they are, with their results.', ({ kept }) => kept),
      unsafe: runs(
        'Of those that run again: UNSAFE ones. Their effect may have happened already, and what they call cannot tell.',
        ({ unsafe }) => unsafe,
      ),
    }
  },
})

const { runNotFound, stepNotFound, invalidTransition } = errorTypes

const RetryPreviewResult = builder.unionType('RetryPreviewResult', {
  description: 'What a retry would do, or why it would be refused.',
  resolveType: refusalOr('RetryPreview'),
  types: [RetryPreviewRef, runNotFound, stepNotFound, invalidTransition],
})

builder.queryField('retryPreview', (t) =>
  t.field({
    type: RetryPreviewResult,
    nullable: false,
    description:
      'Says what `retryRun` would run again, what it would keep, and which effects are at risk. Changes nothing.',
    args: {
      id: t.arg.id({ required: true, description: 'Of the run.' }),
      step: t.arg.string({ description: 'A step of the workflow; absent: all that hold it up.' }),
    },
    resolve: (_, { id, step }, { executor }) => orRefusal(previewRetry(executor, id, step ?? null)),
  }),
)
