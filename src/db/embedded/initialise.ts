import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Program } from './binaries.ts'
import { CannotRunPostgres } from './failure.ts'
import type { Place } from './place.ts'
import { cleanEnvironment, SUPERUSER } from './settings.ts'

/**
 * Creates the cluster beside its place and moves it there when it is complete: an interrupted start leaves no half of
 * one. Each try has a directory of its own, since the initdb of a killed server may still be at work in an earlier one.
 */
export async function initialise(place: Place, binary: Program): Promise<void> {
  const staging = `${place.cluster}.init-${randomBytes(4).toString('hex')}`
  const cluster = join(staging, 'data')
  const password = randomBytes(24).toString('base64url')
  const passwordFile = join(staging, basename(place.passwordFile))
  try {
    await mkdir(cluster, { recursive: true, mode: 0o700 })
    if (place.runAs) for (const path of [staging, cluster]) await chown(path, place.runAs.uid, place.runAs.gid)
    await chmod(staging, 0o700)
    if (isWindows) await writeFile(passwordFile, password, { mode: 0o600 })
    await runInitdb(cluster, passwordFile, place, binary)
    if (isWindows) await rename(passwordFile, join(cluster, basename(place.passwordFile)))
    await rename(cluster, place.cluster)
    await syncDirectory(place.root)
  } catch (error) {
    throw new CannotRunPostgres(
      `Postgres's data directory ${place.cluster} could not be created: ${outputOf(error)}`,
      error,
    )
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => {}) // the next start sweeps it
  }
}

const isWindows = process.platform === 'win32'

async function runInitdb(cluster: string, passwordFile: string, place: Place, binary: Program): Promise<void> {
  const directory = process.platform === 'linux' ? '/proc/self/cwd' : cluster
  // on Unix only the owner of the 0700 directory reaches the socket, and there is no other way in
  const access = isWindows ? ['--auth=scram-sha-256', `--pwfile=${passwordFile}`] : ['--auth=trust']
  // one syncfs where there is one, instead of an fsync for each of a thousand files
  const sync = process.platform === 'linux' ? ['--sync-method=syncfs'] : []
  const args = ['-D', directory, '-U', SUPERUSER, '-E', 'UTF8', '--no-locale', '--no-instructions', ...access, ...sync]
  await promisify(execFile)(binary('initdb'), args, { cwd: cluster, env: cleanEnvironment(), ...place.runAs })
}

/** What is acknowledged after the move must not be found at the old name after a power failure. */
async function syncDirectory(path: string): Promise<void> {
  if (isWindows) return
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}

function outputOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'stderr' in error && error.stderr) return String(error.stderr)
  return error instanceof Error ? error.message : String(error)
}
