import type { Sql } from 'postgres'
import { client } from '../../src/db/client.ts'
import { until } from './until.ts'

/** What a migrated database is, besides the rows in its tables; and what the planner knows of those. */
const SHAPE = `
  select md5(concat_ws(' ',
    (select string_agg(concat_ws(' ', c.oid, c.relname, c.relkind, c.reloptions::text), ',' order by c.oid) from pg_class c
      where c.oid >= 16384 and c.relpersistence <> 't'),
    (select count(*) from pg_attribute a where a.attrelid >= 16384),
    (select string_agg(concat_ws(' ', c.oid, c.convalidated), ',' order by c.oid) from pg_constraint c where c.oid >= 16384),
    (select count(*) from pg_proc p where p.oid >= 16384),
    (select count(*) from pg_trigger),
    (select count(*) from pg_namespace n where n.nspname !~ '^pg_t'),
    (select count(*) from pg_stats s where s.schemaname = 'action_do'),
    (select count(*) from pg_db_role_setting s where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))),
    (select count(*) from action_do.migrations)
  )) as shape`

/** Of others than whoever asks. */
const END_SESSIONS = `
  select pg_terminate_backend(a.pid) from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'`

/** Says for each of the tables whether anything is in it. */
const filled = (tables: readonly string[]) =>
  tables.map((table) => `select '${table}' as name where exists (select from ${table})`).join(' union all ')

/** A database that one test after the other has for its own. */
export class UsedDatabase {
  readonly url: string
  /** A connection of its own: opening one takes longer than what it is needed for. */
  private readonly sql: Sql
  private readonly shape: string
  private readonly tables: readonly string[]

  private constructor(url: string, sql: Sql, shape: string, tables: readonly string[]) {
    this.url = url
    this.sql = sql
    this.shape = shape
    this.tables = tables
  }

  /** One that was just made. */
  static async made(url: string): Promise<UsedDatabase> {
    const sql = client(url, { max: 1 })
    const rows = await sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c
      where c.relnamespace = 'action_do'::regnamespace and c.relkind = 'r' and c.relname <> 'migrations'`
    const tables = rows.map(({ name }) => name)
    return new UsedDatabase(url, sql, await shapeIn(sql), tables)
  }

  /** Ends what is still connected, and takes out all rows. False: more than its rows was changed, and it is of no use. */
  async emptied(): Promise<boolean> {
    // what a process that was killed has sent is executed still
    await until(async () => (await this.sql.unsafe(END_SESSIONS)).length === 0)
    if ((await shapeIn(this.sql)) !== this.shape) return false
    const full = await this.sql.unsafe<{ name: string }[]>(filled(this.tables))
    if (full.length > 0) await this.sql.unsafe(`truncate ${full.map(({ name }) => name).join(', ')} restart identity`)
    return true
  }

  /** Closes its connection. */
  async end(): Promise<void> {
    await this.sql.end({ timeout: 1 })
  }
}

async function shapeIn(sql: Sql): Promise<string> {
  const [row] = await sql.unsafe<{ shape: string }[]>(SHAPE)
  if (!row) throw new Error('no shape')
  return row.shape
}
