import { text } from 'drizzle-orm/pg-core'
import { moment, schema } from './schema.ts'

/** The workflows that were defined as data, by name: which graph the name means now. */
export const workflowDefinitions = schema.table('workflow_definitions', {
  name: text('name').primaryKey(),
  graph: text('graph').notNull(),
  definedAt: moment('defined_at').notNull(),
  actor: text('actor').notNull(),
})
