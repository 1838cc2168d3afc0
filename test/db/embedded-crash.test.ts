import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import {
  cleanUp,
  isRunning,
  killHard,
  newDataDir,
  postmasterPid,
  query,
  start,
  startProcess,
  until,
  usedDataDirs,
} from './embedded-support.ts'

const usedDataDir = usedDataDirs()
let bystander: ChildProcess | undefined
afterEach(async () => {
  bystander?.kill('SIGKILL')
  await cleanUp()
})

test('Postgres outlives a server that is killed, and the next server takes it over and stops it', async () => {
  const dataDir = await usedDataDir()
  const killed = startProcess(dataDir)
  await query(await killed.connection, `create table kept as select 'here' as word`)
  const pid = await postmasterPid(dataDir)
  await killed.kill()
  const next = await start(dataDir)
  expect(await postmasterPid(dataDir)).toBe(pid)
  expect(await query(next.connection, 'select word from kept')).toEqual([{ word: 'here' }])
  await next.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('after server and Postgres were both killed, the next start recovers what was acknowledged', async () => {
  const dataDir = await usedDataDir()
  const killed = startProcess(dataDir)
  await query(await killed.connection, `create table kept as select 'here' as word`)
  const pid = (await postmasterPid(dataDir))!
  await killed.kill()
  await killHard(pid)
  expect(await readFile(join(dataDir, 'postgres-18/postmaster.pid'), 'utf8')).toContain(String(pid))
  const next = await start(dataDir)
  expect(await query(next.connection, 'select word from kept')).toEqual([{ word: 'here' }])
  await next.stop()
})

test('a stale pid that now belongs to another process neither hinders the start nor gets a signal', async () => {
  const dataDir = await usedDataDir()
  bystander = spawn('sleep', ['60'], { stdio: 'ignore' })
  const cluster = join(dataDir, 'postgres-18')
  await writeFile(join(cluster, 'postmaster.pid'), `${bystander.pid}\n${cluster}\n1\n5432\n.\n\n  1 1\nready   \n`)
  await writeFile(join(cluster, '.s.PGSQL.5432.lock'), `${bystander.pid}\n${cluster}\n1\n5432\n.\n`)
  const next = await start(dataDir)
  expect(await query(next.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  await next.stop()
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
})

test.each([0, 30, 80, 150, 250, 400])(
  'a server killed %i ms into the first start leaves nothing in the way',
  async (ms) => {
    const dataDir = await newDataDir()
    const killed = startProcess(dataDir)
    await until(async () => (await readdir(dataDir)).length > 0)
    await sleep(ms) // the moment of the kill is what is tested
    await killed.kill()
    const next = await start(dataDir)
    expect(await query(next.connection, 'select 1 as one')).toEqual([{ one: 1 }])
    await next.stop()
    expect(await postmasterPid(dataDir)).toBeUndefined()
    await (await start(dataDir)).stop()
    expect(await readdir(dataDir)).toEqual(['postgres-18'])
  },
)

test('a killed server that others wait for keeps none of them waiting', async () => {
  const dataDir = await newDataDir()
  const killed = startProcess(dataDir)
  await until(async () => (await readdir(dataDir)).length > 0)
  const waiting = [startProcess(dataDir), startProcess(dataDir), startProcess(dataDir)]
  await killed.kill()
  for (const server of waiting) expect(await query(await server.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  await Promise.all(waiting.map((server) => server.stop()))
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('a server whose Postgres is killed starts it again at the same address', async () => {
  const dataDir = await usedDataDir()
  const server = await start(dataDir)
  const pid = (await postmasterPid(dataDir))!
  await killHard(pid)
  await until(async () => (await query(server.connection, 'select 1').catch(() => [])).length === 1)
  await server.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('servers that share a Postgres still share one after it was killed', async () => {
  const dataDir = await usedDataDir()
  const [first, second] = await Promise.all([start(dataDir), start(dataDir)])
  await killHard((await postmasterPid(dataDir))!)
  await until(async () => (await holders(first.connection)) === 2)
  await first.stop()
  expect(await query(second.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  await second.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('a hold that is cut is taken again, so that another’s leaving does not stop Postgres', async () => {
  const dataDir = await usedDataDir()
  const [first, second] = await Promise.all([start(dataDir), start(dataDir)])
  const superuser = { ...first.connection, username: 'postgres', database: 'postgres' }
  await query(superuser, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'`)
  await until(async () => (await holders(first.connection)) === 2)
  const pid = await postmasterPid(dataDir)
  await first.stop()
  expect(await postmasterPid(dataDir)).toBe(pid)
  await second.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test.each([0, 20, 40, 60, 80, 100])('stop, %i ms after Postgres was killed, leaves none running', async (ms) => {
  const dataDir = await usedDataDir()
  const server = await start(dataDir)
  await killHard((await postmasterPid(dataDir))!)
  await sleep(ms) // anywhere in the course of starting it again
  await server.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('stop does not wait for a Postgres that cannot be started again', async () => {
  const dataDir = await usedDataDir()
  const server = await start(dataDir)
  const pid = (await postmasterPid(dataDir))!
  const version = join(dataDir, 'postgres-18/PG_VERSION')
  await writeFile(version, '17\n')
  await killHard(pid)
  await server.stop()
  expect(await isRunning(pid)).toBe(false)
})

test('a folder that was moved while its Postgres ran is joined, and stopped, where it is now', async () => {
  const dataDir = await usedDataDir()
  const killed = startProcess(dataDir)
  await query(await killed.connection, `create table kept as select 'here' as word`)
  const pid = (await postmasterPid(dataDir))!
  await killed.kill()
  const elsewhere = await newDataDir()
  await rename(join(dataDir, 'postgres-18'), join(elsewhere, 'postgres-18'))
  const next = await start(elsewhere)
  expect(await query(next.connection, 'select word from kept')).toEqual([{ word: 'here' }])
  expect(await isRunning(pid)).toBe(true)
  await next.stop()
  expect(await isRunning(pid)).toBe(false)
})

async function holders(connection: Parameters<typeof query>[0]): Promise<number> {
  const rows = await query<{ n: number }>(
    connection,
    `select count(*)::int as n from pg_locks where locktype = 'advisory' and granted`,
  ).catch(() => [])
  return rows[0]?.n ?? 0
}
