import { readdir } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import { cleanUp, newDataDir, postmasterPid, query, start, startProcess, usedDataDirs } from './embedded-support.ts'

const usedDataDir = usedDataDirs()
afterEach(cleanUp)

test('a second server on the directory joins the first one’s Postgres, and the last one out stops it', async () => {
  const dataDir = await usedDataDir()
  const first = await start(dataDir)
  const pid = await postmasterPid(dataDir)
  const second = await start(dataDir)
  expect(second.connection).toEqual(first.connection)
  await first.stop()
  expect(await postmasterPid(dataDir)).toBe(pid)
  expect(await query(second.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  await second.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('two that leave at once leave no Postgres behind', async () => {
  const dataDir = await usedDataDir()
  const servers = await Promise.all([start(dataDir), start(dataDir), start(dataDir)])
  await Promise.all(servers.map((server) => server.stop()))
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('one that joins while the last one leaves gets a Postgres that stays', async () => {
  const dataDir = await usedDataDir()
  let current = await start(dataDir)
  for (let i = 0; i < 5; i++) {
    const [next] = await Promise.all([start(dataDir), current.stop()])
    expect(await query(next.connection, 'select 1 as one')).toEqual([{ one: 1 }])
    current = next
  }
  await current.stop()
  expect(await postmasterPid(dataDir)).toBeUndefined()
})

test('processes that start at once on an empty directory initialise it once and share it', async () => {
  const dataDir = await newDataDir()
  const servers = Array.from({ length: 6 }, () => startProcess(dataDir))
  const connections = await Promise.all(servers.map((server) => server.connection))
  const identifiers = await Promise.all(
    connections.map((c) => query(c, `select system_identifier::text as id from pg_control_system()`)),
  )
  expect(new Set(identifiers.map((rows) => JSON.stringify(rows))).size).toBe(1)
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0, 0, 0, 0, 0])
  expect(await postmasterPid(dataDir)).toBeUndefined()
  expect(await readdir(dataDir)).toEqual(['postgres-18'])
})

test('processes that start and stop again and again never see one that is half there', async () => {
  const dataDir = await newDataDir()
  const servers = Array.from({ length: 4 }, () => startProcess(dataDir, 8))
  for (const server of servers) {
    expect(await query(await server.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  }
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0, 0, 0])
  expect(await postmasterPid(dataDir)).toBeUndefined()
})
