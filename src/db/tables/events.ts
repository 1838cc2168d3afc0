import { index, integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { eventReason, moment, runStatus, schema } from './schema.ts'

/** One row for each transition, append-only; `seq` is dense within the root's stream. */
export const events = schema.table(
  'events',
  {
    bucket: smallint('bucket').notNull(),
    rootId: uuid('root_id').notNull(),
    seq: integer('seq').notNull(),
    /** The run that changed. */
    runId: uuid('run_id').notNull(),
    at: moment('at').notNull(),
    stepKey: text('step_key'),
    fromStatus: runStatus('from_status'),
    toStatus: runStatus('to_status').notNull(),
    reason: eventReason('reason').notNull(),
    attempt: integer('attempt'),
    error: json('error'),
    /** Who asked: the name of an API key; null where the server itself acted. */
    actor: text('actor'),
    data: json('data'),
  },
  (event) => [
    primaryKey({ columns: [event.bucket, event.rootId, event.seq] }),
    // For whoever watches all runs: the newest events lie at the end of the table, so a block-range index costs next to nothing.
    index('events_newest').using('brin', event.at).with({ autosummarize: 'on', pages_per_range: '16' }),
  ],
)
