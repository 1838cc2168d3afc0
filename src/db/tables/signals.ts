import { integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/** What was signaled to a run, kept until a step of it waits for it. */
export const signals = schema.table(
  'signals',
  {
    bucket: smallint('bucket').notNull(),
    /** The workflow run that it was sent to. */
    runId: uuid('run_id').notNull(),
    name: text('name').notNull(),
    /** Counts the signals of one name to one run: the first to come is the first to be taken. */
    number: integer('number').notNull(),
    payload: json('payload').notNull(),
    actor: text('actor').notNull(),
    at: moment('at').notNull(),
    /** The step that took it. */
    takenBy: uuid('taken_by'),
  },
  (signal) => [primaryKey({ columns: [signal.bucket, signal.runId, signal.name, signal.number] })],
)
