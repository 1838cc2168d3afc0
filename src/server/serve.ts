import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { type ConnectionTarget, connect, type Database, type UserDatabase } from '../db/client.ts'
import { startEmbeddedPostgres } from '../db/embedded/start.ts'
import { CannotConnect, migrate } from '../db/migrate.ts'
import type { Action } from '../executor/define-action.ts'
import { Executor } from '../executor/executor.ts'
import { Recent } from '../executor/recent.ts'
import { Registry } from '../executor/registry.ts'
import type { Workflow } from '../executor/workflow-types.ts'
import { ApiKeys, ensureFirstKey, type FirstKey } from './api-keys.ts'
import { banner, keyAlone } from './banner.ts'
import { receiveCallback } from './callbacks.ts'
import { Documents } from './documents.ts'
import { createGraphql } from './graphql.ts'
import { createHttp } from './http.ts'
import { shortPath } from './json-post.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { type Configuration, ConfigurationError, readConfiguration } from './settings.ts'
import { stopOnSignals } from './signals.ts'
import { serveWebSockets } from './websocket.ts'

/**
 * How many connections may wait to be accepted, as far as the kernel allows it. Of Node's default, 511, a burst is left over that the kernel
 * drops, and resets some seconds later.
 */
const BACKLOG = 4096

export interface ServeOptions extends Partial<Configuration> {
  /** What this server can execute. */
  actions?: readonly Action[]
  /** The workflows that it can run; the actions and workflows that they refer to need not be listed again. */
  workflows?: readonly Workflow[]
  /** The user's own migrations, for tables written through `ctx.tx`: run under the same lock as the server's. */
  migrate?: (db: UserDatabase) => Promise<unknown>
  /** Stop in good order on SIGTERM and SIGINT; default true. */
  handleSignals?: boolean
  /** Print addresses and key when ready; default true. */
  printBanner?: boolean
}

export interface RunningServer {
  /** The address of the API: `http://host:port/graphql`. */
  readonly url: string
  /** Stops in good order; resolves when everything is closed. Calling it again waits for the same stop. */
  stop(): Promise<void>
  /** Resolves when the server has stopped, for whatever reason. */
  readonly stopped: Promise<void>
  /** The node behind the server. For tests that move durable time. */
  readonly executor: Executor
}

/**
 * Starts a server: Postgres (embedded without `databaseUrl`), migrations, executor, HTTP. Each option comes from the
 * environment where it is not given. Throws a `ConfigurationError` for a value that makes no sense, before anything starts, for a
 * database that cannot be used and an address that is taken.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const configuration = readConfiguration(options, process.env)
  const registry = new Registry(options.actions ?? [], options.workflows ?? [])
  const log = createLog(configuration.logLevel)
  const postgres = await openPostgres(configuration, log)
  const undo: (() => Promise<unknown>)[] = [postgres.stop]
  let firstKey = { kind: 'made-before' } as FirstKey
  try {
    const db = connect(postgres.target, configuration.databaseConnections)
    undo.unshift(() => db.close(1))
    const keyFile = configuration.databaseUrl ? undefined : join(configuration.dataDir, 'api-key')
    await migrate(postgres.target, async (user) => {
      await options.migrate?.(user)
      firstKey = await ensureFirstKey(db, configuration.apiKey, keyFile)
    }).catch((error) => {
      throw configuration.databaseUrl && error instanceof CannotConnect ? explainDatabase(error, postgres.shown) : error
    })
    const executor = new Executor(db, registry, executorOptions(configuration), log)
    await executor.start()
    undo.unshift(() => executor.drain(0).then(() => executor.stop()))
    const server = await listen(configuration, executor, db, postgres.stop, log)
    if (options.handleSignals ?? true) stopOnSignals(server, configuration.shutdownTimeoutMs, log)
    if (options.printBanner ?? true) {
      const workflows = registry.workflows().map(({ workflow }) => workflow.name)
      console.log(banner(server.url, firstKey, postgres.shown, registry.names(), workflows))
    } else tellUnshown(firstKey)
    return server
  } catch (error) {
    tellUnshown(firstKey)
    for (const step of undo) await step().catch((err: unknown) => log.warn({ err }, 'while giving up the start'))
    throw error
  }
}

/** A key that was made is known to nobody before it is printed: also where the banner is not wanted, or the start has failed since. */
function tellUnshown(key: FirstKey): void {
  if (key.kind === 'made' && key.file === undefined) console.log(keyAlone(key))
}

interface OpenPostgres {
  readonly target: ConnectionTarget
  /** For people, without the password. */
  readonly shown: string
  readonly stop: () => Promise<void>
}

async function openPostgres({ databaseUrl, dataDir }: Configuration, log: Logger): Promise<OpenPostgres> {
  if (databaseUrl) {
    const { host, pathname } = new URL(databaseUrl)
    return { target: databaseUrl, shown: `${host}${pathname}`, stop: async () => {} }
  }
  const embedded = await startEmbeddedPostgres({ dataDir: resolve(dataDir), log })
  return { target: embedded.connection, shown: `embedded Postgres in ${dataDir}`, stop: () => embedded.stop() }
}

function executorOptions({ role, notify, ...numbers }: Configuration) {
  return { ...numbers, executes: role !== 'api', notify: notify === 'on', unavailableMs: 10_000 }
}

async function listen(
  configuration: Configuration,
  executor: Executor,
  db: Database,
  stopPostgres: () => Promise<void>,
  log: Logger,
): Promise<RunningServer> {
  const keys = new ApiKeys(db, configuration.apiKey)
  const documents = new Documents()
  const graphql = createGraphql(executor, documents, log)
  // a batch of inputs may be larger than one
  const maxBodyBytes = Math.max(configuration.maxParamsBytes * 8, 8_388_608)
  const http = createHttp({
    graphql: shortPath(graphql, documents, executor),
    keys,
    metrics: createMetrics(executor),
    callbacks: (req, res) => receiveCallback(executor.httpActions.callbacks, configuration.maxResultBytes, req, res),
    corsOrigins: configuration.corsOrigins,
    maxBodyBytes,
    ready: readiness(db),
    log,
  })
  const sockets = serveWebSockets(http.server, graphql, keys, maxBodyBytes, log)
  const { port, host } = configuration
  await new Promise<void>((resolve, reject) => {
    http.server.once('error', (error) => reject(explainListen(error, host, port)))
    http.server.listen({ port, host, backlog: BACKLOG }, resolve)
  })
  const url = addressOf(http.server.address() as AddressInfo, host)
  executor.httpActions.reachedAt(configuration.publicUrl ?? new URL(url).origin)
  log.info({ url, role: configuration.role }, 'listening')

  async function shutDown(): Promise<void> {
    log.info('stopping: no new work; handlers may finish')
    http.drain()
    await sockets.stop()
    await executor.drain(configuration.shutdownTimeoutMs * 0.8)
    // those that came over connections that were open already
    http.cutStreams()
    await executor.stop()
    await http.close()
    await db.close(2)
    await stopPostgres()
    log.info('stopped')
  }
  const { promise: stopped, resolve: resolveStopped, reject: rejectStopped } = deferred()
  let stopping: Promise<void> | undefined
  const stop = () => {
    if (!stopping) {
      stopping = shutDown()
      stopping.then(resolveStopped, rejectStopped)
    }
    return stopping
  }
  return { url, stop, stopped, executor }
}

function deferred() {
  let resolve: () => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  // whoever calls stop() hears of a failure; nobody has to watch `stopped` as well
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** Ready means that the database answers within two seconds; asked at most twice a second, whoever asks. */
function readiness(db: Database): () => Promise<boolean> {
  const latest = new Recent(500, () => answers(db))
  return () => latest.get()
}

async function answers(db: Database): Promise<boolean> {
  const patience = new Promise<false>((resolve) => setTimeout(() => resolve(false), 2_000).unref())
  return Promise.race([
    db.hot`select 1`.then(
      () => true,
      () => false,
    ),
    patience,
  ])
}

function addressOf({ address, port, family }: AddressInfo, host: string): string {
  const shown = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  return `http://${host === 'localhost' ? host : shown}:${port}/graphql`
}

/** @param shown the database without its password. */
function explainDatabase({ message, cause }: CannotConnect, shown: string): Error {
  return new ConfigurationError(`DATABASE_URL names ${shown}, which cannot be connected to: ${message}`, { cause })
}

function explainListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new ConfigurationError(
      `PORT is ${port}, which another program uses on ${host}; give a free one, or 0 to have one picked`,
    )
  if (error.code === 'EACCES')
    return new ConfigurationError(`PORT is ${port}, which this user may not open; use one above 1023`)
  return new ConfigurationError(`The server cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
}
