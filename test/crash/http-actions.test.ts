import { expect, onTestFinished, test } from 'vitest'
import { client } from '../../src/db/client.ts'
import { httpAction } from '../../src/index.ts'
import { emptyDatabase, testDatabase } from '../support/database.ts'
import { startEffects } from '../support/effects.ts'
import { ALLOW_LOCAL, SECRET, scriptedService } from '../support/http-service.ts'
import { lossyNetwork } from '../support/lossy-network.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { settled, submit } from '../support/runs.ts'
import { GET_RUN, type ShownRun, startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const RETRY = { maxAttempts: 1_000, backoff: { initialMs: 20, factor: 1 } }

/** The service's database, with what it has done. */
async function serviceWorld() {
  const databaseUrl = await emptyDatabase()
  const sql = client(databaseUrl, { max: 1 })
  onTestFinished(() => sql.end())
  await sql`create table effects (key text)`
  const effects = await startEffects()
  const start = (port = '0') =>
    startServerProcess('effect-service', { databaseUrl, env: { EFFECTS_URL: effects.url, SECRET, PORT: port } })
  const done = async () => (await sql<{ key: string }[]>`select key from effects`).map(({ key }) => key)
  return { effects, start, done }
}

const portOf = ({ url }: ServerProcess) => new URL(url).port

test('a service that is killed after it has written, and before it has answered, has its effect once', async () => {
  const { effects, start, done } = await serviceWorld()
  effects.hold('written')
  const service = await start()
  const charge = httpAction('charge', { url: service.url, secret: SECRET, retry: RETRY })
  const server = await startTestServer([charge], { httpActionsAllow: ALLOW_LOCAL })
  const id = await submit(server, { name: 'charge' })
  await effects.arrived('written')
  await service.kill()
  effects.release('written')
  await start(portOf(service))
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { charged: id } })
  expect(run.attempts[0]?.error?.code).toBe('ANSWER_LOST')
  expect(effects.of('written').length).toBeGreaterThan(1)
  expect(await done()).toEqual([id])
})

test('an answer that is lost after the effect is given again: one effect', async () => {
  const { start, done, effects } = await serviceWorld()
  const service = await start()
  let answers = 0
  const network = await lossyNetwork(service.url, () => answers++ < 2)
  const charge = httpAction('charge', { url: network.url, secret: SECRET, retry: RETRY })
  const server = await startTestServer([charge], { httpActionsAllow: ALLOW_LOCAL })
  const run = await settled(server, await submit(server, { name: 'charge' }))
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { charged: run.id } })
  expect(run.attempts.map(({ error }) => error?.code)).toEqual(['ANSWER_LOST', 'ANSWER_LOST', undefined])
  expect(effects.of('written')).toHaveLength(1)
  expect(await done()).toEqual([run.id])
})

test('a service that is killed again and again behind a network that loses every fifth answer', {
  timeout: 120_000,
}, async () => {
  const RUNS = 150
  const { effects, start, done } = await serviceWorld()
  let service = await start()
  let answers = 0
  const network = await lossyNetwork(service.url, () => answers++ % 5 === 4)
  const charge = httpAction('charge', { url: network.url, secret: SECRET, retry: RETRY, concurrency: 10 })
  const server = await startTestServer([charge], { httpActionsAllow: ALLOW_LOCAL })
  const ids = await Promise.all(Array.from({ length: RUNS }, () => submit(server, { name: 'charge' })))
  for (const reached of [20, 50, 80, 110]) {
    await effects.arrived('written', reached)
    await service.kill()
    service = await start(portOf(service))
  }
  for (const id of ids) expect((await settled(server, id)).status).toBe('SUCCEEDED')
  expect((await done()).sort()).toEqual([...ids].sort())
  expect(network.lost).toBeGreaterThan(10)
})

const serverEnv = (url: string, more: Record<string, string> = {}) => ({
  ...{ SERVICE_URL: url, SECRET, HTTP_ACTIONS_ALLOW: '127.0.0.1', ...more },
})

/** Waits until a run has ended, at a server of another process. */
async function ended(server: ServerProcess, id: string): Promise<ShownRun> {
  let run: ShownRun | undefined
  await until(async () => {
    run = (await server.query<{ run: ShownRun }>(GET_RUN, { id })).run
    return !['RUNNING', 'QUEUED', 'SCHEDULED'].includes(run.status)
  })
  return run!
}

async function submitTo(server: ServerProcess, name: string): Promise<string> {
  const { run, message } = await server.execute({ name, waitMs: 0 })
  if (!run) throw new Error(message)
  return run.id
}

test('a server that is killed in the middle of a call leaves it to another, which calls with the same key: one effect', async () => {
  const { effects, start, done } = await serviceWorld()
  const service = await start()
  const databaseUrl = await testDatabase()
  effects.hold('written')
  const first = await startServerProcess('http-actions-server', { databaseUrl, env: serverEnv(service.url) })
  const id = await submitTo(first, 'charge')
  await effects.arrived('written')
  await first.kill()
  const second = await startServerProcess('http-actions-server', { databaseUrl, env: serverEnv(service.url) })
  await until(async () => (await second.query<{ run: ShownRun }>(GET_RUN, { id })).run.attempts.length > 1)
  effects.release('written')
  const run = await ended(second, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { charged: id } })
  expect(run.attempts[0]?.status).toBe('LOST')
  expect(await done()).toEqual([id])
})

test.each(['later', 'later-unsafe'])(
  'a server that is killed while it waits for a callback leaves the waiting to another: %s is called once',
  async (name) => {
    const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
    const databaseUrl = await testDatabase()
    const sql = client(databaseUrl, { max: 1 })
    onTestFinished(() => sql.end())
    const first = await startServerProcess('http-actions-server', { databaseUrl, env: serverEnv(url) })
    const id = await submitTo(first, name)
    await until(async () => (await sql`select from action_do.callbacks where accepted_at is not null`).length > 0)
    await first.kill()
    const second = await startServerProcess('http-actions-server', { databaseUrl, env: serverEnv(url) })
    await until(async () => (await second.query<{ run: ShownRun }>(GET_RUN, { id })).run.attempts.length > 1)
    const { url: path, token } = calls[0]!.body.callback as { url: string; token: string }
    const callback = new URL(new URL(path).pathname, second.url)
    const headers = { authorization: `Bearer ${token}` }
    const said = await fetch(`${callback}/complete`, { method: 'POST', headers, body: '{"parcel":7}' })
    expect(said.status).toBe(204)
    expect(await ended(second, id)).toMatchObject({ status: 'SUCCEEDED', result: { parcel: 7 } })
    expect(calls).toHaveLength(1)
  },
)
