import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { collect, oneTo, seqsOf, watchSse, watchWebSocket } from '../support/event-streams.ts'
import { createNotes, notesIn, queryOf } from '../support/notes.ts'
import { type DatabaseProxy, startProxy } from '../support/proxy.ts'
import { getRun, latch, settled, submit } from '../support/runs.ts'
import { EXECUTE, type ExecuteAnswer, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** How long the database is away; an outage of its own length is the thing that is tested. */
const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 4_000)

const CALLERS = 12

/** Keeps the database away for a while: what is open is cut, what is new is refused. */
async function outage(proxy: DatabaseProxy, ms = OUTAGE_MS): Promise<void> {
  proxy.refuse(true)
  proxy.cutAll()
  await sleep(ms)
  proxy.refuse(false)
}

const note = action('note', {
  effect: 'transactional',
  params: z.string(),
  run: async ({ params, tx }) => {
    await tx.execute(sql`insert into notes values (${params})`)
    return params
  },
})

/** Keeps the keys that it was called with, like a service that deduplicates. */
function chargeAction() {
  const keys = new Set<string>()
  const charge = action('charge', {
    params: z.string(),
    run: ({ params, idempotencyKey }) => {
      keys.add(idempotencyKey)
      return params
    },
  })
  return { keys, charge }
}

/** Calls until told to stop; a call that was refused as retryable is repeated with its key. */
class Load {
  readonly acknowledged = new Map<string, string>()
  readonly refusals: unknown[] = []
  readonly strange: unknown[] = []
  private stopped = false
  private calls = 0
  private readonly server: TestServer
  private readonly callers: Promise<unknown>

  constructor(server: TestServer) {
    this.server = server
    this.callers = Promise.all(Array.from({ length: CALLERS }, () => this.call()))
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.callers
  }

  private async call(): Promise<void> {
    while (!this.stopped) {
      const key = `call ${++this.calls}`
      const input = { name: this.calls % 2 ? 'note' : 'charge', params: key, idempotencyKey: key }
      while (!this.acknowledged.has(key)) await this.send(key, input)
    }
  }

  private async send(key: string, input: object): Promise<void> {
    const { body } = await this.server.post({ query: EXECUTE, variables: { input } })
    const run = (body.data?.executeAction as ExecuteAnswer | undefined)?.run
    const extensions = body.errors?.[0]?.extensions
    if (run) this.acknowledged.set(key, run.id)
    else if (extensions?.code === 'SERVICE_UNAVAILABLE' && extensions.retryable === true) this.refusals.push(extensions)
    else this.strange.push(body)
  }
}

/** Shortens how long a request waits for the database. */
function losePatience(server: TestServer, ms: number): void {
  Reflect.set(server.executor.options, 'unavailableMs', ms)
  Reflect.set(server.executor.submissions, 'unavailableMs', ms)
}

test('under load the database goes away and comes back: nothing is lost, nothing happens twice', {
  timeout: 60_000 + OUTAGE_MS,
}, async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const { keys, charge } = chargeAction()
  const server = await startTestServer([note, charge], { databaseUrl: proxy.url, migrate: createNotes })
  losePatience(server, OUTAGE_MS / 2)
  const load = new Load(server)
  await until(() => load.acknowledged.size >= 100)
  const before = load.acknowledged.size
  await outage(proxy)
  const back = performance.now()
  await until(() => load.acknowledged.size >= before + 100)
  expect(performance.now() - back).toBeLessThan(10_000)
  await load.stop()

  expect(load.strange).toEqual([])
  expect(load.refusals.length).toBeGreaterThan(0)
  for (const [key, id] of load.acknowledged) {
    const run = await settled(server, id)
    expect(run).toMatchObject({ status: 'SUCCEEDED', result: key })
    expect(seqsOf(run.events)).toEqual(oneTo(run.lastSeq))
  }
  const noted = await notesIn({ databaseUrl })
  const asked = [...load.acknowledged.keys()].filter((key) => Number(key.slice(5)) % 2)
  expect(noted).toEqual(asked.sort())
  expect(keys.size).toBe(load.acknowledged.size - asked.length)
})

test('a handler that returns while the database is away is recorded once it is back, as the attempt that it was', async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const go = latch()
  const returned = latch()
  let calls = 0
  const held = action('held', {
    run: async () => {
      calls++
      await go.opened
      setImmediate(returned.open)
      return 'done in the dark'
    },
  })
  const server = await startTestServer([held], { databaseUrl: proxy.url })
  const id = await submit(server, { name: 'held' })
  proxy.refuse(true)
  proxy.cutAll()
  go.open()
  await returned.opened
  expect((await fetch(new URL('/health/ready', server.url))).status).toBe(503)
  proxy.refuse(false)
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'done in the dark', attempts: [{ status: 'SUCCEEDED' }] })
  expect(run.attempts).toHaveLength(1)
  expect(calls).toBe(1)
  await until(async () => (await fetch(new URL('/health/ready', server.url))).status === 200)
})

test('while the database is away every request says that it may be repeated', async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const { charge } = chargeAction()
  const server = await startTestServer([charge], { databaseUrl: proxy.url })
  const { run } = await server.execute({ name: 'charge', params: 'x' })
  losePatience(server, 100)
  proxy.refuse(true)
  proxy.cutAll()
  const requests = [
    'mutation { executeAction(input: { name: "charge", params: "y" }) { __typename } }',
    `mutation { retryRun(input: { id: "${run!.id}" }) { __typename } }`,
    `mutation { cancelRun(input: { id: "${run!.id}" }) { __typename } }`,
    `{ run(id: "${run!.id}") { status } }`,
    '{ runs(first: 1) { edges { node { id } } } }',
  ]
  for (const query of requests) {
    const { body } = await server.post({ query })
    expect(body.errors, query).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }])
    expect(body.errors?.[0]?.message, query).not.toMatch(/ECONN|127\.0\.0\.1|CONNECT/)
  }
  const unknownKey = await server.post({ query: '{ __typename }' }, { authorization: 'Bearer another-key-0123456789' })
  expect(unknownKey).toMatchObject({
    status: 503,
    body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
  })
  proxy.refuse(false)
  await until(async () => (await fetch(new URL('/health/ready', server.url))).status === 200)
  expect((await getRun(server, run!.id)).status).toBe('SUCCEEDED')
})

test('connections that break under control mutations harm nobody: each takes effect once', async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const { charge } = chargeAction()
  const server = await startTestServer([charge], { databaseUrl: proxy.url, leaseMs: 600_000 })
  const runAt = new Date(Date.now() + 3_600_000).toISOString()
  const ids = await Promise.all(oneTo(60).map((n) => submit(server, { name: 'charge', params: `${n}`, runAt })))
  const document = 'mutation($input: CancelRunInput!) { cancelRun(input: $input) { __typename ... on Error { code } } }'
  const cancel = async (id: string) => {
    const data = await server.query(document, { input: { id, idempotencyKey: `cancel-${id}` } })
    expect(data).toMatchObject({ cancelRun: { __typename: 'CancelRunPayload' } })
  }
  const statements = [
    /for no key update/,
    /insert into action_do.written_events/,
    /insert into action_do.commands/,
    /^commit/,
  ]
  for (const [round, statement] of statements.entries()) {
    const lost = proxy.loseAnswer(statement)
    const canceling = ids.filter((_, n) => n % statements.length === round).map(cancel)
    await lost
    proxy.cutAll()
    await Promise.all(canceling)
  }
  const rows = await queryOf(databaseUrl)`
    select status::text, last_seq, count(*)::int from action_do.runs group by 1, 2`
  expect(rows).toEqual([{ status: 'CANCELED', last_seq: 2, count: 60 }])
})

test('streams go on where they were when the database is back', async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const go = latch()
  const held = action('held', { run: () => go.opened })
  const server = await startTestServer([held], { databaseUrl: proxy.url })
  const id = await submit(server, { name: 'held' })
  const streams = [watchSse(server.url, id), watchWebSocket(server.url, id)]
  for (const stream of streams) await stream.next()
  await outage(proxy, 500)
  go.open()
  for (const stream of streams) expect(seqsOf((await collect(stream)).events)).toEqual([2])
})

test('after an outage the nodes hear each other again', async () => {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const go = latch()
  const held = action('held', { run: () => go.opened })
  const worker = await startTestServer([held], { databaseUrl, notify: 'on' })
  // a node that would find nothing by itself while this test lasts
  const listener = await startTestServer([held], { databaseUrl: proxy.url, notify: 'on', role: 'api', pollMs: 60_000 })
  const id = await submit(worker, { name: 'held' })
  await outage(proxy, 300)
  const heard = new Promise<void>((resolve) => listener.executor.hub.watchAll((ids) => void (ids.length && resolve())))
  // hints are no promise: each submission is another one
  await until(async () => {
    await worker.execute({ name: 'held', waitMs: 0 })
    return Promise.race([heard.then(() => true), sleep(100, false)])
  })
  go.open()
  expect((await settled(worker, id)).status).toBe('SUCCEEDED')
})

test('connections that break while they are made anew, again and again, end nothing', async () => {
  const proxy = await startProxy(await testDatabase())
  const server = await startTestServer([note], { databaseUrl: proxy.url, migrate: createNotes })
  const calls = oneTo(30).map((n) => server.execute({ name: 'note', params: `${n}`, idempotencyKey: `${n}` }))
  // the first thing that a new connection says, at whatever moment of its life
  for (let round = 0; round < 200; round++) {
    proxy.cutAll()
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const { run } of await Promise.all(calls)) expect(run?.status).toBe('SUCCEEDED')
  expect(await notesIn(server)).toHaveLength(30)
})
