import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres, { type Options, type Sql } from 'postgres'
import { DurableClock } from '../core/clock.ts'
import { preferring, type WarmClient, WarmConnection } from './warm.ts'

/** What a `transactional` handler and the user's migrations write through. */
export type UserDatabase = PostgresJsDatabase
export type UserTransaction = Parameters<Parameters<UserDatabase['transaction']>[0]>[0]

/** Where the database is: a URL, or what postgres.js takes (the embedded one's socket). */
export type ConnectionTarget =
  | string
  | { host: string; port: number; database: string; username: string; password?: string }

/**
 * The connections of one node, each kind with its own room, so that none starves another: a handler that holds its
 * transaction open must not keep the commit of its neighbours waiting.
 */
export interface Database {
  /** The executor's statements. Their plans never depend on statistics: see `hotSettings`. */
  readonly hot: Sql
  /** The same, for the statements that are executed most: see `preferring`. */
  readonly warm: WarmClient
  /** Lists, and what a page of them shows. */
  readonly reads: Sql
  /** Transactions of handlers, for drizzle alone: drizzle changes the client that it is given. */
  readonly user: UserDatabase
  /** LISTEN and NOTIFY, outside of every transaction that writes. */
  readonly notify: Sql
  readonly clock: DurableClock
  close(timeoutSeconds: number): Promise<void>
}

/** Two: the second for what is too large to wait behind something else, and for when the first does not answer. */
const WARM = 2

/** So many connections of each kind; the warm ones are of the hot. */
interface PoolSizes {
  readonly hot: number
  readonly reads: number
  readonly user: number
}

export const DEFAULT_CONNECTIONS = 24

/** One listens, for which postgres.js opens it, and one notifies. */
const FOR_HINTS = 2

/** The fewest connections that leave each kind one, and the hot ones one besides the warm. */
export const MIN_CONNECTIONS = FOR_HINTS + 4

/** Divides the connections of a node: a quarter each for the executor and for lists, what is left for handlers. */
export function poolSizes(connections: number): PoolSizes {
  const shared = connections - FOR_HINTS
  const quarter = Math.ceil(shared / 4)
  const hot = Math.max(2, quarter)
  return { hot, reads: quarter, user: shared - hot - quarter }
}

/**
 * The executor's statements find every row by index, whatever the tables' statistics say: on tables without statistics, or
 * with those of an empty table, the planner would scan, and keep that plan while the table grows.
 */
const hotSettings = { enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan', jit: 'off' }

/**
 * Lists plan with the values at hand, never by reading a whole table, and give up after half a minute. A generic plan of the
 * list by status ignored its index: 300,000 rows read for a page.
 */
const readSettings = {
  enable_seqscan: 'off',
  plan_cache_mode: 'force_custom_plan',
  jit: 'off',
  statement_timeout: 30_000,
}

/** @param connections how many it opens at most, `MIN_CONNECTIONS` or more. */
export function connect(target: ConnectionTarget, connections = DEFAULT_CONNECTIONS): Database {
  const sizes = poolSizes(connections)
  const hotClient = (max: number, onclose = () => {}) =>
    client(target, { max, connection: { application_name: 'action.do', ...hotSettings }, onclose })
  const warm = Array.from({ length: Math.min(WARM, sizes.hot - 1) }, () => {
    const sql = hotClient(1, () => connection.lost())
    const connection = new WarmConnection(sql)
    return { sql, connection }
  })
  const hot = hotClient(sizes.hot - warm.length)
  const reads = client(target, {
    max: sizes.reads,
    connection: { application_name: 'action.do reads', ...readSettings },
  })
  const userClient = client(target, { max: sizes.user, connection: { application_name: 'action.do handlers' } })
  const notify = client(target, { max: 1, connection: { application_name: 'action.do hints' } })
  return {
    hot,
    warm: preferring(
      warm.map(({ connection }) => connection),
      hot,
    ),
    reads,
    user: drizzle(userClient),
    notify,
    clock: new DurableClock(),
    async close(timeoutSeconds) {
      const all = [...warm.map(({ sql }) => sql), hot, reads, userClient, notify]
      await Promise.all(all.map((sql) => sql.end({ timeout: timeoutSeconds })))
    },
  }
}

/** A client with the settings that all kinds share. */
export function client(target: ConnectionTarget, options: Options<Record<string, never>>): Sql {
  // Each attempt answers one of the statements that wait: a few connections try more often, or those would wait the longer.
  const mostSeconds = Math.min(1, (options.max ?? 10) / 4)
  const shared: Options<Record<string, never>> = {
    connect_timeout: 5,
    idle_timeout: 0,
    onnotice: () => {},
    // postgres.js (3.4.9) reads the array types on each connection, and a connection that breaks just then ends the process.
    fetch_types: false,
    // A database that comes back should not be waited for long, nor hammered.
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, mostSeconds) * (0.5 + Math.random() / 2),
    ...options,
  }
  if (typeof target !== 'string') return postgres({ ...target, ...shared })
  const { url, host } = socketIn(target)
  return postgres(url, host === undefined ? shared : { ...shared, host })
}

/** A Unix socket's folder as libpq writes it, `postgres:///database?host=/folder`, which postgres.js does not know. */
function socketIn(target: string): { url: string; host?: string } {
  const url = new URL(target)
  const host = url.searchParams.get('host')
  if (!host?.startsWith('/')) return { url: target }
  url.searchParams.delete('host')
  return { url: url.href, host }
}
