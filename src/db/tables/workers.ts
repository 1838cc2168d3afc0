import { json, text } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/**
 * One row for each worker alive, of a server's process or remote: its runs refer to it, so that renewing one row renews the lease of all
 * of them.
 */
export const workers = schema.table('workers', {
  /** `host:pid:random`, of a remote one `name:random`; a process that lost its lease registers anew under another. */
  id: text('id').primaryKey(),
  startedAt: moment('started_at').notNull(),
  leaseExpiresAt: moment('lease_expires_at').notNull(),
  /** What it has registered: the queues that it takes runs from, and the actions. */
  queues: json('queues'),
  /** Of a remote worker: its name, the version of each action that it executes, and when it last renewed. */
  name: text('name'),
  actions: json('actions'),
  lastSeenAt: moment('last_seen_at'),
})
