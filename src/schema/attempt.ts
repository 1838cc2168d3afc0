import type { AttemptRow, RunRow } from '../db/rows.ts'
import { builder } from './builder.ts'
import { AttemptStatusRef } from './enums.ts'
import { RunErrorRef } from './run-error.ts'

export const AttemptRef = builder.objectRef<AttemptRow>('Attempt').implement({
  description: 'One try of an action run. Attempts are never erased; their numbers go on over a retry.',
  fields: (t) => ({
    number: t.exposeInt('number', { nullable: false, description: 'Counts from 1.' }),
    status: t.expose('status', { type: AttemptStatusRef, nullable: false, description: 'How it ended, or RUNNING.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: false, description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', description: 'When it ended.' }),
    durationMs: t.int({
      description: 'Milliseconds from its begin to its end.',
      resolve: ({ startedAt, finishedAt }) => finishedAt && finishedAt.getTime() - startedAt.getTime(),
    }),
    error: t.field({ type: RunErrorRef, description: 'What it failed with.', resolve: (attempt) => attempt.error }),
    worker: t.exposeString('workerId', { description: 'The worker that executed it, as host:process:random.' }),
  }),
})

/** The ended attempts, and the one under way, which is read off its run. */
export function withRunningAttempt(run: RunRow, ended: readonly AttemptRow[]): AttemptRow[] {
  if (run.status !== 'RUNNING' || !run.attemptStartedAt || ended.some(({ number }) => number === run.attempt))
    return [...ended]
  const { id: runId, attempt: number, workerId, attemptStartedAt: startedAt } = run
  return [...ended, { runId, number, status: 'RUNNING', workerId, startedAt, finishedAt: null, error: null }]
}
