import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { type ConnectionTarget, client, type UserDatabase } from './client.ts'

const MIGRATIONS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'drizzle')

/** An arbitrary constant that every version of the server shares: "action.do" in ASCII, cut to eight bytes. */
const MIGRATION_LOCK = 0x616374696f6e2e64n

/** The oldest and the newest Postgres that the server is tested with. */
const OLDEST_MAJOR = 15

/** The first word to the database already failed: its address, its name or the login is wrong, or it is away. The `cause` says which. */
export class CannotConnect extends Error {}

/**
 * Brings the schema up to date, once, however many nodes start at the same time: drizzle's migrator takes no lock, so the
 * session that it works in holds one around it. Throws `CannotConnect`.
 * @param own the user's migrations, under the same lock.
 */
export async function migrate(target: ConnectionTarget, own?: (db: UserDatabase) => Promise<unknown>): Promise<void> {
  const session = client(target, { max: 1, connection: { application_name: 'action.do migration' } })
  try {
    const [version] = await session<{ version: number }[]>`
      select current_setting('server_version_num')::int / 10000 as version`.catch((error) => {
      throw new CannotConnect(error.message, { cause: error })
    })
    if (version && version.version < OLDEST_MAJOR)
      throw new Error(`DATABASE_URL names a Postgres ${version.version}; action.do needs ${OLDEST_MAJOR} or newer`)
    await session`select pg_advisory_lock(${MIGRATION_LOCK.toString()}::bigint)`
    const db = drizzle(session)
    await applyMigrations(db, {
      migrationsFolder: MIGRATIONS,
      migrationsSchema: 'action_do',
      migrationsTable: 'migrations',
    })
    await own?.(db)
  } finally {
    // ending the session lets the lock go
    await session.end({ timeout: 5 })
  }
}
