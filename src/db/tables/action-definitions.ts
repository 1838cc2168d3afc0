import { index, integer, json, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/** The actions that were registered over the API: one row for each version, append-only. Without a definition: removed. */
export const actionDefinitions = schema.table(
  'action_definitions',
  {
    name: text('name').notNull(),
    version: integer('version').notNull(),
    definition: json('definition'),
    definedAt: moment('defined_at').notNull(),
    actor: text('actor').notNull(),
  },
  (definition) => [primaryKey({ columns: [definition.name, definition.version] })],
)

/** What the calls of registered actions are signed with. Kept as they are: a signature cannot be made from a hash. */
export const actionSecrets = schema.table(
  'action_secrets',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    secret: text('secret').notNull(),
    createdAt: moment('created_at').notNull(),
    /** Null: until it is rotated. */
    expiresAt: moment('expires_at'),
  },
  (secret) => [index('action_secrets_of').on(secret.name)],
)
