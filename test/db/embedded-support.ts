import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { pino } from 'pino'
import postgres from 'postgres'
import { beforeAll } from 'vitest'
import type { Connection } from '../../src/db/embedded/hold.ts'
import { locate } from '../../src/db/embedded/place.ts'
import { readPostmaster } from '../../src/db/embedded/postmaster.ts'
import { isPostmaster, startOf } from '../../src/db/embedded/process.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/start.ts'
import { argumentsOf } from '../support/programs.ts'

const directories: string[] = []
const children: ChildProcess[] = []

/** A data directory that `cleanUp` removes, with whatever still runs in it. */
export async function newDataDir(name = 'embedded-'): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), name))
  directories.push(path)
  return path
}

/** Makes data directories as a first start and stop leave them: initialising one takes most of such a test's time. */
export function usedDataDirs(): () => Promise<string> {
  let used = ''
  beforeAll(async () => {
    used = await mkdtemp(join(tmpdir(), 'embedded-used-'))
    await (await start(used)).stop()
    return () => rm(used, { recursive: true })
  })
  return async () => {
    const path = await newDataDir()
    // its files belong to the user that Postgres runs as
    await promisify(execFile)('cp', ['-a', join(used, 'postgres-18'), path])
    return path
  }
}

export async function cleanUp(): Promise<void> {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const path of directories.splice(0)) {
    const pid = await postmasterPid(path).catch(() => undefined)
    if (pid !== undefined) await killHard(pid)
    await rm(path, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 })
  }
}

export function start(dataDir: string, settings: Record<string, string> = { fsync: 'off' }): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: pino({ level: 'silent' }), settings })
}

/** The pid of the Postgres that runs in the directory, if one does. */
export async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const place = await locate(dataDir)
  const found = await readPostmaster(place)
  return found && (await isPostmaster(found.pid, place.clusterName)) ? found.pid : undefined
}

export async function killHard(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(async () => !(await isRunning(pid)))
}

/** False also for a zombie that nobody has collected yet. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await startOf(pid)) !== undefined
}

/** Waits for what no signal tells: the state of another process, or of a file that it writes. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5)
}

export interface ServerProcess {
  readonly child: ChildProcess
  /** Settles once Postgres is started in the process. */
  readonly connection: Promise<Connection>
  stop(): Promise<number | null>
  kill(): Promise<void>
}

/** A process that starts Postgres, after having started and stopped it `rounds - 1` times. */
export function startProcess(dataDir: string, rounds = 1): ServerProcess {
  const child = runScript('embedded-child', [dataDir, String(rounds)])
  const exited = once(child, 'exit')
  const connection = firstLine(child).then((line) => JSON.parse(line) as Connection)
  connection.catch(() => {})
  return {
    child,
    connection,
    async stop() {
      child.stdin?.write('stop\n')
      const [code] = await exited
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export function runScript(name: string, args: string[]): ChildProcess {
  const child = spawn(process.execPath, [...argumentsOf(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

export async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line
  throw new Error('the process ended without a word')
}

/** One query on a connection of its own. */
export async function query<T>(connection: Connection, text: string): Promise<T[]> {
  const sql = postgres({ ...connection, max: 1, onnotice: () => {} })
  try {
    return (await sql.unsafe(text)) as unknown as T[]
  } finally {
    await sql.end()
  }
}
