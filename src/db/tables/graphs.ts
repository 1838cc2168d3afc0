import { json, text } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/** The structure of each workflow that was ever registered or started, under the hash of its content. Never changed. */
export const graphs = schema.table('graphs', {
  hash: text('hash').primaryKey(),
  name: text('name').notNull(),
  graph: json('graph').notNull(),
  createdAt: moment('created_at').notNull(),
})
