import { boolean, index, integer, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/** One row for each key of a limit: its lock lets those who take turns do so one after the other. */
export const limits = schema.table(
  'limits',
  { bucket: smallint('bucket').notNull(), key: text('key').notNull() },
  (limit) => [primaryKey({ columns: [limit.bucket, limit.key] })],
)

/** Who has, or waits for, a turn under a limit. A row under the bucket of the limit's key, not of the run. */
export const limitHolders = schema.table(
  'limit_holders',
  {
    bucket: smallint('bucket').notNull(),
    key: text('key').notNull(),
    runId: uuid('run_id').notNull(),
    rootId: uuid('root_id').notNull(),
    /** So many may have a turn at once, as this one sees it. */
    max: integer('max').notNull(),
    granted: boolean('granted').notNull(),
    at: moment('at').notNull(),
  },
  (holder) => [
    primaryKey({ columns: [holder.bucket, holder.key, holder.runId] }),
    index('limit_holders_in_turn').on(holder.bucket, holder.key, holder.granted, holder.at),
  ],
)
