import { integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { attemptStatus, moment, schema } from './schema.ts'

/**
 * One row for each attempt that has ended without success, written once. The running one is read off its run, and so is the one
 * that has succeeded, which most have: only when its run goes on from there is it written down.
 */
export const attempts = schema.table(
  'attempts',
  {
    bucket: smallint('bucket').notNull(),
    runId: uuid('run_id').notNull(),
    number: integer('number').notNull(),
    status: attemptStatus('status').notNull(),
    workerId: text('worker_id').notNull(),
    startedAt: moment('started_at').notNull(),
    finishedAt: moment('finished_at').notNull(),
    error: json('error'),
  },
  (attempt) => [primaryKey({ columns: [attempt.bucket, attempt.runId, attempt.number] })],
)
