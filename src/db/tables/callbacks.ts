import { sql } from 'drizzle-orm'
import { check, index, integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment, schema } from './schema.ts'

/** Where services say how it ended, after they have answered that they will finish later: a row for each call. */
export const callbacks = schema.table(
  'callbacks',
  {
    bucket: smallint('bucket').notNull(),
    id: uuid('id').notNull(),
    runId: uuid('run_id').notNull(),
    /** Which attempt made the call. */
    attempt: integer('attempt').notNull(),
    /** The idempotency key of the call. */
    key: text('key').notNull(),
    /** SHA-256: what is stored here opens nothing. */
    token: bytea('token').notNull(),
    createdAt: moment('created_at').notNull(),
    deadlineAt: moment('deadline_at').notNull(),
    /** When the service answered 202. */
    acceptedAt: moment('accepted_at'),
    progress: json('progress'),
    /** `complete` or `fail`. */
    outcome: text('outcome'),
    body: json('body'),
    endedAt: moment('ended_at'),
    /** Which attempt took up the failure that the service said, and was about to fail with it. */
    takenBy: integer('taken_by'),
  },
  (callback) => [
    primaryKey({ columns: [callback.bucket, callback.id] }),
    index('callbacks_of_run').on(callback.bucket, callback.runId),
    check('callbacks_outcome', sql`${callback.outcome} in ('complete', 'fail')`),
    check('callbacks_ended', sql`(${callback.outcome} is null) = (${callback.endedAt} is null)`),
  ],
)
