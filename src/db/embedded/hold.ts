import { readFile } from 'node:fs/promises'
import postgres from 'postgres'
import { codeOf } from './failure.ts'
import { type Place, socketDirectory } from './place.ts'
import { DATABASE, ROLE, SUPERUSER } from './settings.ts'

/** What postgres.js takes. `host` is the socket directory on Unix. */
export interface Connection {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly username: string
  readonly password?: string
}

/**
 * The advisory lock, in the database `postgres`, that every server which uses the embedded Postgres holds shared for as
 * long as it does: "do" and the lock's number. Who can have it exclusively is the last one.
 */
const HOLD_KEY = 0x646f_0001

/** A server's claim on Postgres: a connection of its own, so that the claim dies with the process. */
export interface Hold {
  /** The name in the command line of the Postgres that answered. */
  readonly clusterName: string
  /** Settles when the connection is gone. */
  readonly lost: Promise<void>
  /** Whether nobody else holds on. If so nobody can until the connection ends. */
  isLast(): Promise<boolean>
  release(): Promise<void>
}

/** What is said of a Postgres that is not there, no longer or not yet; and of one that a dead server was setting up. */
const PASSING = new Set([
  ...['57P01', '57P02', '57P03', '53300', '42P04', '42710', '23505', '55006'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
])

/** How the place's Postgres is reached. */
export async function connectionTo(place: Place, port: number): Promise<Connection> {
  const who = { port, database: DATABASE, username: ROLE }
  if (process.platform !== 'win32') return { host: await socketDirectory(place), ...who }
  return { host: '127.0.0.1', ...who, password: await readFile(place.passwordFile, 'utf8') }
}

/** Takes hold of a Postgres and sees to it that its database exists. `undefined` when it is not there just now. */
export async function tryHold(connection: Connection): Promise<Hold | undefined> {
  let onclose = () => {}
  const lost = new Promise<void>((resolve) => {
    onclose = resolve
  })
  const sql = postgres({
    ...connection,
    database: 'postgres',
    username: SUPERUSER,
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 10,
    fetch_types: false,
    onnotice: () => {},
    onclose,
    connection: { application_name: 'action.do: holds Postgres open' },
  })
  try {
    const clusterName = await claim(sql)
    await createDatabase(sql, connection.password)
    return { clusterName, lost, isLast: () => isLast(sql), release: () => sql.end({ timeout: 1 }) }
  } catch (error) {
    await sql.end({ timeout: 1 })
    if (PASSING.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}

async function claim(sql: postgres.Sql): Promise<string> {
  const [row] = await sql<[{ name: string }]>`
    select current_setting('cluster_name') as name from pg_advisory_lock_shared(${HOLD_KEY})`
  return row.name
}

/** One's own shared lock does not stand in the way, so there is no moment at which nobody holds on. */
async function isLast(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql<[{ last: boolean }]>`select pg_try_advisory_lock(${HOLD_KEY}) as last`
  return row.last
}

async function createDatabase(sql: postgres.Sql, password: string | undefined): Promise<void> {
  const [found] = await sql<[{ role: boolean; database: boolean }]>`
    select exists(select from pg_roles where rolname = ${ROLE}) as role,
      exists(select from pg_database where datname = ${DATABASE}) as database`
  // utility statements take no parameters; the password is base64url, of our own making
  const secret = password === undefined ? '' : ` password '${password}'`
  if (!found.role) await sql.unsafe(`create role ${ROLE} login createdb${secret}`)
  if (!found.database) await sql.unsafe(`create database ${DATABASE} owner ${ROLE}`)
}
