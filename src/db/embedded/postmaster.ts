import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, open, readFile, rm, stat, truncate } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Program } from './binaries.ts'
import { CannotRunPostgres, codeOf } from './failure.ts'
import { type Place, SOCKET_PORT, socketDirectory } from './place.ts'
import { isPostmaster, startOf } from './process.ts'
import { cleanEnvironment, serverArguments } from './settings.ts'

const POLL_MS = 10
const MAX_LOG_BYTES = 10 * 1024 * 1024

/** What `postmaster.pid` tells. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly status: 'starting' | 'ready' | 'stopping' | string
}

/** Reads `postmaster.pid`, whoever wrote it. */
export async function readPostmaster(place: Place): Promise<Postmaster | undefined> {
  const path = join(place.cluster, 'postmaster.pid')
  const text = await readFile(path, 'utf8').catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number.parseInt(lines[0] ?? '', 10)
  if (!(pid > 0)) return undefined
  return { pid, port: Number(lines[3]) || SOCKET_PORT, status: lines[7] || 'starting' }
}

/** A server of this place that runs, or is about to, or is about to stop. */
export async function findPostmaster(place: Place): Promise<Postmaster | undefined> {
  const found = await readPostmaster(place)
  if (!found) return undefined
  if (await isPostmaster(found.pid, place.clusterName)) return found
  // the folder was moved while its Postgres ran, or that runs in another container: known by its socket alone
  return (await answers(place)) ? { ...found, status: 'ready' } : undefined
}

/**
 * Starts a server and waits until it takes connections. False when another one has come first, or when what is left of
 * a killed one has yet to end: look again.
 */
export async function startPostmaster(
  place: Place,
  binary: Program,
  settings: Record<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  await removeStaleFiles(place)
  const from = await prepareLog(place)
  const server = await spawnServer(place, binary, settings)
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null) break
    const found = await readPostmaster(place)
    if (found?.pid === server.pid && found?.status === 'ready') return true
    await sleep(POLL_MS, undefined, { signal }).catch((aborted) => {
      // without its file nobody could find it to stop it, and it has not touched the data yet
      if (found?.pid !== server.pid) server.kill('SIGKILL')
      throw aborted
    })
  }
  const said = await logSince(place, from)
  if (/already exists|still in use|[Aa]ddress already in use/.test(said)) return false
  throw new CannotRunPostgres(`Postgres stopped while it was starting. Its log, ${place.log}, ends:\n${said}`)
}

/**
 * Stops the server the fast way: it rolls back what is open, disconnects everyone, writes a checkpoint. Resolves when
 * it is gone; false when it cannot be recognised or goes on stopping by itself.
 */
export async function stopPostmaster(
  place: Place,
  clusterName: string,
  binary: () => Promise<Program>,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await findPostmaster(place)
  if (!found) return true
  const start = await startOf(found.pid)
  if (!(await isPostmaster(found.pid, clusterName))) return false
  if (process.platform === 'win32') {
    // to send a signal there is to kill; pg_ctl knows the pipe on which Postgres listens
    await promisify(execFile)((await binary())('pg_ctl'), ['stop', '-m', 'fast', '-W', '-D', place.cluster])
  } else {
    process.kill(found.pid, 'SIGINT')
  }
  while (await isThere(found.pid, start, clusterName)) {
    if (signal.aborted) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Whether the server that was started then is there: a process that ends loses its command line before anything else. */
async function isThere(pid: number, start: string | undefined, clusterName: string): Promise<boolean> {
  return process.platform === 'win32' ? isPostmaster(pid, clusterName) : (await startOf(pid)) === start
}

/** What Postgres wrote last, for an error message. */
export async function logSince(place: Place, from: number): Promise<string> {
  const text = await readFile(place.log).catch(() => Buffer.alloc(0))
  return text.subarray(from).toString('utf8').trimEnd().split('\n').slice(-20).join('\n')
}

/** To be called when no server of this place runs. Postgres itself would trust any process that has the old pid. */
async function removeStaleFiles(place: Place): Promise<void> {
  for (const name of ['postmaster.pid', `.s.PGSQL.${SOCKET_PORT}.lock`]) {
    await rm(join(place.cluster, name), { force: true })
  }
}

async function prepareLog(place: Place): Promise<number> {
  const size = (await stat(place.log).catch(() => undefined))?.size ?? 0
  if (size <= MAX_LOG_BYTES) return size
  await truncate(place.log)
  return 0
}

async function spawnServer(place: Place, binary: Program, settings: Record<string, string>): Promise<ChildProcess> {
  const log = await open(place.log, 'a', 0o600)
  try {
    if (place.runAs) await chown(place.log, place.runAs.uid, place.runAs.gid)
    const directory = process.platform === 'linux' ? '/proc/self/cwd' : place.cluster
    const port = process.platform === 'win32' ? await freePort() : SOCKET_PORT
    const server = spawn(binary('postgres'), ['-D', directory, ...serverArguments(place.clusterName, port, settings)], {
      cwd: place.cluster,
      env: cleanEnvironment(),
      // a session of its own: Ctrl-C goes to the whole terminal, and must not stop Postgres before its clients are done
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log.fd, log.fd],
      ...place.runAs,
    })
    await once(server, 'spawn')
    server.unref()
    return server
  } finally {
    await log.close()
  }
}

async function answers(place: Place): Promise<boolean> {
  if (process.platform === 'win32') return false
  const socket = createConnection(join(await socketDirectory(place), `.s.PGSQL.${SOCKET_PORT}`))
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  return typeof address === 'object' && address !== null ? address.port : SOCKET_PORT
}
