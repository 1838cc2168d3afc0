import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { client } from '../src/db/client.ts'

/** Where Debian and its like keep the programs of each major version. */
const PROGRAMS = '/usr/lib/postgresql'
const OLDEST_MAJOR = 15
/** Postgres refuses to run as root: `nobody`. */
const NOBODY = 65_534
const READY_MS = 30_000

/** The newest Postgres that is installed on the machine, 15 or newer: the folder of its programs. */
export async function machinePrograms(): Promise<string | undefined> {
  const majors = (await readdir(PROGRAMS).catch(() => [])).map(Number).filter((major) => major >= OLDEST_MAJOR)
  return majors.length === 0 ? undefined : join(PROGRAMS, `${Math.max(...majors)}`, 'bin')
}

/** Starts a cluster of its own, in `folder`, with the machine's programs. */
export async function startMachinePostgres(
  programs: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const data = join(folder, 'data')
  await mkdir(data, { recursive: true, mode: 0o700 })
  const root = process.getuid?.() === 0
  const user = root ? { uid: NOBODY, gid: NOBODY } : {}
  if (root) {
    await chown(data, NOBODY, NOBODY)
    // made for root alone, and the way to the data leads through them
    for (const above of [folder, join(folder, '..')]) await chmod(above, 0o711)
  }
  const initdb = ['-D', data, '-E', 'UTF8', '--no-locale', '-A', 'trust', '-U', 'postgres']
  await promisify(execFile)(join(programs, 'initdb'), initdb, { ...user, cwd: data })
  const all = { ...settings, listen_addresses: '', unix_socket_directories: data, port: '5432', max_connections: '200' }
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(programs, 'postgres'), ['-D', data, ...options], { ...user, cwd: data, stdio: 'ignore' })
  const url = `postgres://postgres@localhost:5432/postgres?host=${encodeURIComponent(data)}`
  await answering(url)
  return {
    url,
    async stop() {
      server.kill('SIGINT')
      if (server.exitCode === null) await once(server, 'exit')
    },
  }
}

async function answering(url: string): Promise<void> {
  for (const until = performance.now() + READY_MS; ; ) {
    const sql = client(url, { max: 1 })
    try {
      await sql`select 1`
      return
    } catch (error) {
      if (performance.now() > until) throw new Error('the machine’s Postgres did not start', { cause: error })
      await sleep(50)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}
