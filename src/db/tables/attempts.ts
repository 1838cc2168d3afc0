import { sql } from 'drizzle-orm'
import { integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { attemptStatus, moment, schema } from './schema.ts'

const columns = {
  bucket: smallint('bucket').notNull(),
  runId: uuid('run_id').notNull(),
  number: integer('number').notNull(),
  status: attemptStatus('status').notNull(),
  workerId: text('worker_id').notNull(),
  startedAt: moment('started_at').notNull(),
  finishedAt: moment('finished_at').notNull(),
  error: json('error'),
}

/**
 * One row for each attempt that has ended without success, written once. The running one is read off its run, and so is the one
 * that has succeeded, which most have: only when its run goes on from there is it written down.
 */
export const writtenAttempts = schema.table('written_attempts', columns, (attempt) => [
  primaryKey({ columns: [attempt.bucket, attempt.runId, attempt.number] }),
])

/** All attempts that have ended, written or told by their runs. */
export const attempts = schema.view('attempts', columns).as(sql`
  select * from action_do.written_attempts
  union all
  select r.bucket, r.id, r.attempt, 'SUCCEEDED', r.succeeded_by, r.attempt_started_at, greatest(r.finished_at, r.attempt_started_at), null
  from action_do.runs r where r.succeeded_by is not null`)
