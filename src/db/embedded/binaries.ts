import { execFile } from 'node:child_process'
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { CannotRunPostgres } from './failure.ts'
import { withLock } from './lock.ts'
import { linkLibraries, packageDirectory } from './package.ts'
import type { RunAs } from './place.ts'

/** The path of a program of Postgres. */
export type Program = (name: 'postgres' | 'initdb' | 'pg_ctl') => string

/**
 * Finds Postgres's binaries in the form in which `user` can execute them: those of the package, or a copy of them.
 * @param native the package's directory of that name.
 * @param caches where a copy may go, the best first.
 */
export async function findBinaries(
  user: RunAs | undefined,
  signal: AbortSignal,
  native: string = packageDirectory(),
  caches: string[] = cacheDirectories(),
): Promise<Program> {
  const inPlace = (await linkLibraries(native)) && (await canExecute(native, user))
  return program(inPlace ? native : await copyToCache(native, user, signal, caches))
}

function program(native: string): Program {
  return (name) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

/** Whether `user` gets through to the binaries: tried, since modes, access lists and mount options all have a say. */
async function canExecute(native: string, user: RunAs | undefined): Promise<boolean> {
  if (user === undefined) return true
  return promisify(execFile)(program(native)('postgres'), ['--version'], { ...user, cwd: '/', env: {} }).then(
    () => true,
    () => false,
  )
}

async function copyToCache(
  native: string,
  user: RunAs | undefined,
  signal: AbortSignal,
  caches: string[],
): Promise<string> {
  const { name, version } = JSON.parse(await readFile(resolve(native, '../package.json'), 'utf8')) as {
    name: string
    version: string
  }
  for (const base of caches) {
    const cache = await privateDirectory(join(base, 'action.do'))
    if (cache === undefined) continue
    const copy = join(cache, `${basename(name)}-${version}`)
    await withLock(`${copy}.lock`, signal, () => copyOnce(native, copy))
    if (await canExecute(copy, user)) return copy
  }
  throw new CannotRunPostgres(`Postgres's binaries in ${native} cannot be executed, nor copied to where they can.`)
}

/** As root, the home directory is mostly closed to the user that Postgres runs as. */
function cacheDirectories(): string[] {
  const own = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return process.getuid?.() === 0 ? ['/var/cache', tmpdir()] : [own, tmpdir()]
}

/** A directory from which it is safe to execute: nobody else could have put anything into it. */
async function privateDirectory(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 })
    if (process.platform === 'win32') return path
    const { uid, mode } = await lstat(path)
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined
    await chmod(path, 0o755) // the umask may have closed it to the user that Postgres runs as
    return path
  } catch {
    return undefined
  }
}

async function copyOnce(native: string, copy: string): Promise<void> {
  if (await stat(copy).catch(() => undefined)) return
  const unfinished = `${copy}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true })) {
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644)
  }
  await chmod(unfinished, 0o755)
  await linkLibraries(unfinished)
  await rename(unfinished, copy)
}
