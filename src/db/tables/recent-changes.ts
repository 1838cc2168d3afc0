import { bigint, integer, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/**
 * The runs that lately had an event which is no row, one row for each commit: how whoever watches all runs finds what changed on
 * another node. Kept for minutes.
 */
export const recentChanges = schema.table(
  'recent_changes',
  {
    at: moment('at').notNull(),
    number: bigint('number', { mode: 'bigint' }).generatedAlwaysAsIdentity().notNull(),
    /** The runs, and the number of that event of each. */
    roots: uuid('roots').array().notNull(),
    seqs: integer('seqs').array().notNull(),
  },
  (change) => [primaryKey({ columns: [change.at, change.number] })],
)
