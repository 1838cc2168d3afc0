import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { findBinaries } from './binaries.ts'
import { CannotRunPostgres } from './failure.ts'
import { type Connection, connectionTo, type Hold, tryHold } from './hold.ts'
import { initialise } from './initialise.ts'
import { withLock } from './lock.ts'
import { isInitialised, locate, type Place, removeSocketLink, sweep } from './place.ts'
import { findPostmaster, logSince, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.ts'

/** Long enough for the recovery after a crash of a machine with a slow disk. */
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000
const POLL_MS = 10
const RETRY_MS = 1000

/** A Postgres that runs for as long as somebody holds on to it. */
export interface EmbeddedPostgres {
  /** What postgres.js takes. `host` is the socket directory on Unix. */
  readonly connection: Connection
  /** Lets go; the last server out stops Postgres (SIGINT "fast" shutdown), before it releases its hold. Idempotent. */
  stop(): Promise<void>
}

/** Where the embedded Postgres keeps its files, where it reports, and how it is set. */
interface EmbeddedPostgresOptions {
  /** The server's data directory. Postgres gets a folder of its own in it, named after its major version. */
  dataDir: string
  log: Logger
  /** Settings of Postgres besides the defaults. Without effect on a Postgres that already runs. */
  settings?: Record<string, string>
}

interface Server extends Required<EmbeddedPostgresOptions> {
  readonly place: Place
}

interface Joined {
  readonly connection: Connection
  readonly hold: Hold
}

/**
 * Starts Postgres in `dataDir`, or joins the one that runs there already, whoever started it. It runs detached: it
 * survives a kill of this process, and the next start takes it over.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { server, joined } = await begin(options)
  const stopping = new AbortController()
  const kept = keep(server, joined.hold, stopping.signal)
  let stopped: Promise<void> | undefined
  const stop = async () => {
    stopping.abort()
    await leave(server, await kept)
  }
  return {
    connection: joined.connection,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}

async function begin(options: EmbeddedPostgresOptions): Promise<{ server: Server; joined: Joined }> {
  try {
    const server = { settings: {}, ...options, place: await locate(options.dataDir) }
    return { server, joined: await join(server, AbortSignal.timeout(START_TIMEOUT_MS)) }
  } catch (error) {
    if (error instanceof CannotRunPostgres) throw error
    const problem = error instanceof Error ? error.message : String(error)
    throw new CannotRunPostgres(`The embedded Postgres in ${options.dataDir} does not start: ${problem}`, error)
  }
}

/** Every start and stop of one place happens under its lock: one initialises, one starts, nobody joins what is stopped. */
async function join(server: Server, signal: AbortSignal): Promise<Joined> {
  const { place } = server
  return withLock(place.lock, signal, async () => {
    await sweep(place)
    try {
      for (;;) {
        const joined = await joinOrStart(server, signal)
        if (joined) return joined
        await sleep(POLL_MS, undefined, { signal })
      }
    } catch (error) {
      if (!signal.aborted || error instanceof CannotRunPostgres) throw error
      throw new CannotRunPostgres(
        `Postgres did not start. Its log, ${place.log}, ends:\n${await logSince(place, 0)}`,
        error,
      )
    }
  })
}

async function joinOrStart(server: Server, signal: AbortSignal): Promise<Joined | undefined> {
  const { place, log, settings } = server
  const found = await findPostmaster(place)
  if (found) return found.status === 'ready' ? tryJoin(place, found) : undefined
  const binary = await findBinaries(place.runAs, signal)
  if (!(await isInitialised(place))) {
    log.info({ directory: place.cluster }, 'creating the embedded Postgres')
    await initialise(place, binary)
  }
  if (await startPostmaster(place, binary, settings, signal)) {
    log.info({ directory: place.cluster }, 'started the embedded Postgres')
  }
  return undefined
}

async function tryJoin(place: Place, found: Postmaster): Promise<Joined | undefined> {
  const connection = await connectionTo(place, found.port)
  const hold = await tryHold(connection)
  return hold && { connection, hold }
}

/**
 * Holds on until told to stop. When Postgres goes away meanwhile (it was killed, or restarted itself after a crash of
 * one of its processes), starts or joins it again. Resolves to the hold that is left to give back.
 */
async function keep(server: Server, first: Hold, stopping: AbortSignal): Promise<Hold | undefined> {
  const asked = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }))
  let hold = first
  for (;;) {
    await Promise.race([hold.lost, asked])
    if (stopping.aborted) return hold
    server.log.warn('lost the embedded Postgres; starting it again')
    const next = await rejoin(server, hold, stopping)
    if (!next) return undefined
    hold = next
  }
}

async function rejoin(server: Server, lost: Hold, stopping: AbortSignal): Promise<Hold | undefined> {
  while (!stopping.aborted) {
    try {
      await lost.release()
      return (await join(server, AbortSignal.any([stopping, AbortSignal.timeout(START_TIMEOUT_MS)]))).hold
    } catch (err) {
      if (stopping.aborted) break
      server.log.error({ err }, 'the embedded Postgres does not start again')
      await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return undefined
}

async function leave(server: Server, held: Hold | undefined): Promise<void> {
  const { place, log } = server
  const signal = AbortSignal.timeout(STOP_TIMEOUT_MS)
  let hold = held
  try {
    await withLock(place.lock, signal, async () => {
      hold ??= await holdAgain(place, signal)
      if (hold && !(await hold.isLast())) return
      const name = hold?.clusterName ?? place.clusterName
      const gone = await stopPostmaster(place, name, () => findBinaries(place.runAs, signal), signal)
      if (gone) {
        await removeSocketLink(place)
        log.info('stopped the embedded Postgres')
      } else log.warn('the embedded Postgres is still running')
    })
  } catch (err) {
    log.warn({ err }, 'could not stop the embedded Postgres; the next start will join it')
  } finally {
    await hold?.release()
  }
}

/**
 * For a server told to stop while it was starting a lost Postgres again: others may use that one by now. `undefined`
 * when none runs, or one that is still starting and so is used by nobody.
 */
async function holdAgain(place: Place, signal: AbortSignal): Promise<Hold | undefined> {
  for (;;) {
    const found = await findPostmaster(place)
    if (found?.status !== 'ready') return undefined
    const joined = await tryJoin(place, found)
    if (joined) return joined.hold
    await sleep(POLL_MS, undefined, { signal })
  }
}
