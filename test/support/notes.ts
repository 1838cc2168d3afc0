import { sql } from 'drizzle-orm'
import { onTestFinished } from 'vitest'
import { client, type UserDatabase } from '../../src/db/client.ts'

/** A table of the user's own, for what handlers write through `ctx.tx`. Pass it to `startTestServer({ migrate })`. */
export async function createNotes(db: UserDatabase): Promise<void> {
  await db.execute(sql`create table if not exists notes (text text not null)`)
}

/** The committed notes, in alphabetical order. */
export async function notesIn({ databaseUrl }: { databaseUrl: string }): Promise<string[]> {
  const rows = await queryOf(databaseUrl)<{ text: string }[]>`select text from notes order by text`
  return rows.map(({ text }) => text)
}

/** A connection of the test's own to a server's database. */
export function queryOf(databaseUrl: string): ReturnType<typeof client> {
  const own = client(databaseUrl, { max: 1 })
  onTestFinished(() => own.end())
  return own
}
