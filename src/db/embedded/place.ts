import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, readlink, realpath, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CannotRunPostgres, codeOf } from './failure.ts'

/** The major version of the binary packages. Data of one major version cannot be read by another. */
const MAJOR = 18
const NAME = `postgres-${MAJOR}`
/** On Unix the port only names the socket. */
export const SOCKET_PORT = 5432
/** Postgres refuses to run as root; this is nobody's id everywhere. initdb insists that the system has a name for it. */
const NOBODY = 65_534
/** The kernel's limit on a socket's address is 108 bytes on Linux, 104 on macOS; `/.s.PGSQL.5432` needs 15. */
const MAX_SOCKET_DIRECTORY = 85

/** The user that Postgres runs as, when that is not the user of this process. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
}

/** Where one embedded Postgres lives. */
export interface Place {
  /** The user's data directory. */
  readonly root: string
  /** Postgres's own directory in it: data, socket and log, readable by Postgres's user only. */
  readonly cluster: string
  readonly lock: string
  readonly log: string
  readonly passwordFile: string
  /** Part of Postgres's command line, by which a later process recognises it. */
  readonly clusterName: string
  readonly runAs: RunAs | undefined
}

/** Finds out where Postgres lives under `dataDir`, and makes that directory if need be. */
export async function locate(dataDir: string): Promise<Place> {
  await mkdir(resolve(dataDir), { recursive: true, mode: 0o700 })
  const root = await realpath(dataDir)
  const cluster = join(root, NAME)
  return {
    root,
    cluster,
    lock: `${cluster}.lock`,
    log: join(cluster, 'server.log'),
    passwordFile: join(cluster, 'password'),
    clusterName: `action-do-${digest(cluster)}`,
    runAs: await runAs(cluster),
  }
}

/** Whether the directory is initialised. Throws when what is there belongs to another major version of Postgres. */
export async function isInitialised(place: Place): Promise<boolean> {
  const version = await readFile(join(place.cluster, 'PG_VERSION'), 'utf8').catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (version !== undefined && version.trim() !== String(MAJOR)) {
    throw new CannotRunPostgres(`${place.cluster} holds data of Postgres ${version.trim()}; this is Postgres ${MAJOR}.`)
  }
  if (version === undefined) await refuseOlderData(place)
  return version !== undefined
}

/** The directory by which a client reaches the socket: the cluster's own, or a short link to it. */
export async function socketDirectory(place: Place): Promise<string> {
  const path = shortLink(place)
  if (path === undefined) return place.cluster
  await symlink(place.cluster, path).catch((error) => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
  // anyone may write to the temporary directory: a link of somebody else's could lead to a Postgres of theirs
  const { uid } = await lstat(path)
  if (uid !== process.getuid?.() || (await readlink(path)) !== place.cluster) {
    throw new CannotRunPostgres(
      `${path} belongs to somebody else, and the path of ${place.cluster} is too long for a socket.`,
    )
  }
  return path
}

/** To be called by the owner of the place's lock when Postgres has stopped. */
export async function removeSocketLink(place: Place): Promise<void> {
  const path = shortLink(place)
  if (path !== undefined) await rm(path, { force: true })
}

function shortLink(place: Place): string | undefined {
  if (process.platform === 'win32' || Buffer.byteLength(place.cluster) <= MAX_SOCKET_DIRECTORY) return undefined
  const base = Buffer.byteLength(tmpdir()) < MAX_SOCKET_DIRECTORY - 40 ? tmpdir() : '/tmp'
  return join(base, `action-do-${process.getuid?.() ?? 0}-${digest(place.cluster)}`)
}

/**
 * Removes what starts that were killed have left behind. To be called by the owner of the place's lock only. The initdb
 * of a start that was just killed may still be writing: what cannot be removed now is left to the next sweep.
 */
export async function sweep(place: Place): Promise<void> {
  const leftovers = (await readdir(place.root)).filter(
    (name) => name.startsWith(`${NAME}.init-`) || name.startsWith(`${NAME}.lock.`),
  )
  await Promise.allSettled(leftovers.map((name) => rm(join(place.root, name), { recursive: true, force: true })))
}

/** An empty database where there used to be data would look like a loss of everything. */
async function refuseOlderData(place: Place): Promise<void> {
  const other = (await readdir(place.root)).find((name) => /^postgres-\d+$/.test(name) && name !== NAME)
  if (other === undefined) return
  throw new CannotRunPostgres(
    `${join(place.root, other)} holds data of another major version of Postgres; this is Postgres ${MAJOR}. ` +
      'Dump it with that version and restore it, or move the folder away to start with an empty database.',
  )
}

async function runAs(cluster: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await stat(cluster).catch(() => undefined)
  return owner === undefined || owner.uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid: owner.uid, gid: owner.gid }
}

function digest(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}
