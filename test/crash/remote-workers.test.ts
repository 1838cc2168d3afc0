import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Effects, startEffects } from '../support/effects.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { settled, submit } from '../support/runs.ts'
import { API_KEY, apiClient, GET_RUN, type ShownRun, startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** A worker in a process of its own. */
function startWorker(url: string, effects: Effects, env: Record<string, string> = {}): Promise<ServerProcess> {
  return startServerProcess('remote-worker', {
    databaseUrl: '',
    env: { DO_URL: url, DO_API_KEY: API_KEY, EFFECTS_URL: effects.url, ...env },
  })
}

test('the runs of a worker that is killed go to another: it is visible, and none is lost', async () => {
  const effects = await startEffects()
  const server = await startTestServer([], { leaseMs: 1_500 })
  effects.hold('work')
  const first = await startWorker(server.url, effects, { NAME: 'first' })
  const id = await submit(server, { name: 'work' })
  await effects.arrived('work')
  await first.kill()
  effects.release('work')
  await startWorker(server.url, effects, { NAME: 'second' })
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { by: '1' } })
  expect(run.attempts.map(({ status }) => status)).toEqual(['LOST', 'SUCCEEDED'])
  expect(effects.of('work').map(({ key }) => key)).toEqual([id, id])
})

test('a worker that stood still past its lease changes nothing when it wakes', async () => {
  const effects = await startEffects()
  const server = await startTestServer([], { leaseMs: 1_500 })
  effects.hold('work')
  const frozen = await startWorker(server.url, effects, { NAME: 'frozen' })
  const id = await submit(server, { name: 'work' })
  await effects.arrived('work')
  await frozen.freeze()
  await startWorker(server.url, effects, { NAME: 'other' })
  const { node } = await effects.arrived('work', 2)
  expect(node).toBe('other')
  effects.release('work')
  const run = await settled(server, id)
  frozen.thaw()
  // it registers anew, and takes runs again
  const workers = async () =>
    (await server.query<{ action: { workers: { name: string }[] } }>('{ action(name: "work") { workers { name } } }'))
      .action.workers
  await until(async () => (await workers()).some(({ name }) => name === 'frozen'))
  const next = await Promise.all(Array.from({ length: 20 }, () => submit(server, { name: 'work' })))
  for (const each of next) expect((await settled(server, each)).status).toBe('SUCCEEDED')
  const { run: now } = await server.query<{ run: ShownRun }>(GET_RUN, { id })
  expect(now).toEqual(run)
  expect(now.attempts.map(({ status }) => status)).toEqual(['LOST', 'SUCCEEDED'])
})

test('a server that is killed under a pulling worker: its attempt is completed at the next one, and done once', async () => {
  const effects = await startEffects()
  const databaseUrl = await testDatabase()
  const env = { LEASE_MS: '15000' }
  const killed = await startServerProcess('plain-server', { databaseUrl, env })
  effects.hold('work')
  await startWorker(killed.url, effects)
  const client = apiClient(killed.url)
  await until(async () => (await client.query<{ actions: unknown[] }>('{ actions { name } }')).actions.length > 0)
  const { run } = await client.execute({ name: 'work', waitMs: 0 })
  await effects.arrived('work')
  await killed.kill()
  effects.release('work')
  const next = await startServerProcess('plain-server', {
    databaseUrl,
    env: { ...env, PORT: new URL(killed.url).port },
  })
  const show = async () => (await next.query<{ run: ShownRun }>(GET_RUN, { id: run!.id })).run
  await until(async () => (await show()).status === 'SUCCEEDED')
  expect((await show()).attempts.map(({ status }) => status)).toEqual(['SUCCEEDED'])
  expect(effects.of('work')).toHaveLength(1)
  // and the worker goes on pulling
  expect(await next.execute({ name: 'work' })).toMatchObject({ run: { status: 'SUCCEEDED' } })
}, 60_000)

test('an unsafe effect of a worker that is killed is not repeated: the next one asks the probe', async () => {
  const effects = await startEffects()
  const server = await startTestServer([], { leaseMs: 1_500 })
  effects.hold('pay')
  const first = await startWorker(server.url, effects)
  const id = await submit(server, { name: 'pay' })
  await effects.arrived('pay')
  await first.kill()
  await startWorker(server.url, effects)
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'found' })
  expect(effects.of('pay')).toHaveLength(1)
  expect(effects.of('probe').map(({ key }) => key)).toEqual([id])
})

test('a worker that is asked to stop finishes what it has, takes nothing more, and leaves with 0', async () => {
  const effects = await startEffects()
  const server = await startTestServer([])
  effects.hold('work')
  const worker = await startWorker(server.url, effects, { CONCURRENCY: '1' })
  const id = await submit(server, { name: 'work' })
  await effects.arrived('work')
  const stopped = worker.stop()
  const left = await submit(server, { name: 'work' })
  effects.release('work')
  expect(await stopped).toBe(0)
  expect((await settled(server, id)).attempts.map(({ status }) => status)).toEqual(['SUCCEEDED'])
  const { run } = await server.query<{ run: ShownRun }>(GET_RUN, { id: left })
  expect(run).toMatchObject({ status: 'QUEUED', attempts: [] })
})

test('a rolling deploy under load: every run succeeds once, by a worker of its version or a newer one', async () => {
  const effects = await startEffects()
  const server = await startTestServer([], { leaseMs: 1_500 })
  const old = await startWorker(server.url, effects, { NAME: 'old', VERSION: '1' })
  const ids: Promise<string>[] = []
  const load = (count: number) => {
    for (let i = 0; i < count; i++) ids.push(submit(server, { name: 'work' }))
  }
  load(40)
  await effects.arrived('work', 20)
  await startWorker(server.url, effects, { NAME: 'new', VERSION: '2' })
  load(40)
  await effects.arrived('work', 60)
  expect(await old.stop()).toBe(0)
  load(40)
  for (const id of await Promise.all(ids)) expect((await settled(server, id)).status).toBe('SUCCEEDED')
  const keys = effects.of('work').map(({ key }) => key)
  expect(new Set(keys).size).toBe(120)
  expect(
    effects
      .of('work')
      .slice(-40)
      .every(({ node }) => node === 'new'),
  ).toBe(true)
}, 60_000)

test('workers that are killed again and again, and a server too, lose none of 200 runs', async () => {
  const effects = await startEffects()
  const databaseUrl = await testDatabase()
  const start = (port = '0') =>
    startServerProcess('plain-server', { databaseUrl, env: { PORT: port, LEASE_MS: '2000' } })
  let server = await start()
  const { port } = new URL(server.url)
  let workers = await Promise.all([startWorker(server.url, effects), startWorker(server.url, effects)])
  const ids: string[] = []
  for (let i = 0; i < 200; i++) ids.push((await server.execute({ name: 'work', waitMs: 0 })).run!.id)
  for (const reached of [30, 80, 130]) {
    await effects.arrived('work', reached)
    await workers[0]!.kill()
    workers = [workers[1]!, await startWorker(server.url, effects)]
    if (reached !== 80) continue
    await server.kill()
    server = await start(port)
  }
  const show = async (id: string) => (await server.query<{ run: ShownRun }>(GET_RUN, { id })).run
  for (const id of ids) {
    await until(async () => (await show(id)).status === 'SUCCEEDED')
    const { attempts } = await show(id)
    expect(attempts.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(1)
  }
  expect(new Set(effects.of('work').map(({ key }) => key))).toEqual(new Set(ids))
}, 120_000)
