import { json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment, schema } from './schema.ts'

/** The idempotency keys of control mutations, each written in the transaction of what it caused. */
export const commands = schema.table(
  'commands',
  {
    bucket: smallint('bucket').notNull(),
    runId: uuid('run_id').notNull(),
    /** The mutation: `retry`, `cancel`. */
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    fingerprint: bytea('fingerprint').notNull(),
    outcome: json('outcome').notNull(),
    at: moment('at').notNull(),
  },
  (command) => [primaryKey({ columns: [command.bucket, command.runId, command.kind, command.key] })],
)
