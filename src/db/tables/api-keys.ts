import { text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment, schema } from './schema.ts'

/** The API keys that the server made. Only the SHA-256 of a key is kept: what is stored here opens nothing. */
export const apiKeys = schema.table('api_keys', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  hash: bytea('hash').notNull().unique(),
  createdAt: moment('created_at').notNull(),
})
