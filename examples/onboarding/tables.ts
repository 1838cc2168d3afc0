import { type SQL, sql } from 'drizzle-orm'
import { pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core'

export const users = pgTable(
  'onboarding_users',
  {
    id: text().primaryKey(),
    email: text().notNull(),
    name: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [uniqueIndex('onboarding_users_email').on(sql`lower(${table.email})`)],
)

/** Pass it to `serve({ migrate })`. It runs at every start, so it must not mind being repeated. */
export async function migrate(db: { execute(query: SQL): PromiseLike<unknown> }): Promise<void> {
  await db.execute(sql`
    create table if not exists onboarding_users (
      id text primary key,
      email text not null,
      name text,
      created_at timestamptz not null default now()
    )`)
  await db.execute(sql`create unique index if not exists onboarding_users_email on onboarding_users (lower(email))`)
}
