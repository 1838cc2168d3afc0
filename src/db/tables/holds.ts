import { bigint, index, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { schema } from './schema.ts'

/**
 * What a worker was given, one row for each commit that gave it something: how the runs of a lost worker are found. An index on the
 * runs themselves would be written twice for each attempt; this is written once for a batch. It names what was given, which
 * may have ended since: the run itself says.
 */
export const holds = schema.table(
  'holds',
  {
    /** Of one of its runs: a batch has runs of many buckets. */
    bucket: smallint('bucket').notNull(),
    number: bigint('number', { mode: 'bigint' }).generatedAlwaysAsIdentity().notNull(),
    workerId: text('worker_id').notNull(),
    /** The runs, bucket by bucket and id by id. */
    buckets: smallint('buckets').array().notNull(),
    runs: uuid('runs').array().notNull(),
  },
  (hold) => [primaryKey({ columns: [hold.bucket, hold.number] }), index('holds_of_worker').on(hold.workerId)],
)
