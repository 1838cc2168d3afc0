import { expect, test } from 'vitest'
import { expireLease } from '../../src/db/leases.ts'
import { type Action, httpAction } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { ALLOW_LOCAL, SECRET, type SeenCall, scriptedService } from '../support/http-service.ts'
import { getRun, happened, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

interface Offered {
  url: string
  token: string
  deadline: string
}

/** A service that accepts each call, and an action for it. */
async function acceptingService(options: Partial<Parameters<typeof httpAction>[1]> = {}) {
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const later = httpAction('later', { url, secret: SECRET, callback: { deadlineMs: 3_600_000 }, ...options })
  const accepted = async (index = 0) => {
    await until(() => calls.length > index)
    return offeredIn(calls[index]!)
  }
  return { later: later as Action, calls, accepted }
}

function offeredIn({ body }: SeenCall): Offered {
  return body.callback as Offered
}

/** Calls back as a service does. */
function say(callback: Offered, verb: string, body: unknown) {
  return sayText(callback, verb, JSON.stringify(body))
}

async function sayText({ url, token }: Offered, verb: string, body: string) {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/${verb}`, { method: 'POST', headers, body })
  return { status: response.status, body: response.status === 204 ? null : await response.json() }
}

test('a service that answers 202 ends the run later', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  const callback = await accepted()
  expect(callback.url).toMatch(new RegExp(`^${new URL(server.url).origin}/callbacks/callback_[0-9a-z]{26}$`))
  expect(Date.parse(callback.deadline)).toBeGreaterThan(Date.now() + 3_500_000)
  expect((await getRun(server, id)).status).toBe('RUNNING')
  expect(await say(callback, 'complete', { parcel: 7 })).toEqual({ status: 204, body: null })
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { parcel: 7 } })
  expect(run.attempts).toHaveLength(1)
})

test('a service says later that it failed, in problem details', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  await say(await accepted(), 'fail', { code: 'NO_STOCK', title: 'Nothing left', retryable: false })
  expect((await settled(server, id)).error).toMatchObject({
    code: 'NO_STOCK',
    message: 'Nothing left',
    retryable: false,
  })
})

test('a failure that may pass has the service called again, and only what that call says counts', async () => {
  const { later, calls, accepted } = await acceptingService({ retry: { backoff: { initialMs: 0 } } })
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  await say(await accepted(), 'fail', { code: 'BUSY', retryable: true })
  await say(await accepted(1), 'complete', 'second')
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'second' })
  expect(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
})

test('a failure that an operator has retried is asked for again', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  await say(await accepted(), 'fail', { code: 'NO_STOCK' })
  await settled(server, id)
  await server.query('mutation($id: ID!) { retryRun(input: { id: $id }) { __typename } }', { id })
  await say(await accepted(1), 'complete', 'now')
  expect((await settled(server, id)).result).toBe('now')
})

test('progress is shown on the run', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  const callback = await accepted()
  expect((await say(callback, 'heartbeat', { done: 3 })).status).toBe(204)
  await until(async () => JSON.stringify((await getRun(server, id)).heartbeat) === '{"done":3}')
  await say(callback, 'complete', null)
  expect((await settled(server, id)).status).toBe('SUCCEEDED')
})

test('a callback is taken once: the same again changes nothing, anything else is refused', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  const callback = await accepted()
  await say(callback, 'complete', { a: 1, b: 2 })
  expect((await say(callback, 'complete', { b: 2, a: 1 })).status).toBe(204)
  expect(await say(callback, 'complete', { a: 2 })).toMatchObject({ status: 409, body: { code: 'ENDED_OTHERWISE' } })
  expect((await say(callback, 'fail', {})).status).toBe(409)
  expect((await say(callback, 'heartbeat', 1)).status).toBe(409)
  expect((await settled(server, id)).result).toEqual({ a: 1, b: 2 })
})

test('whoever does not have the token learns nothing and changes nothing', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  const callback = await accepted()
  const wrong = await say({ ...callback, token: 'guess' }, 'complete', 1)
  const unknown = await say({ ...callback, url: callback.url.replace(/.{5}$/, '00000') }, 'complete', 1)
  expect(wrong).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } })
  expect(unknown).toEqual(wrong)
  expect((await getRun(server, id)).status).toBe('RUNNING')
})

test.each([
  ['another address', 'finish', '{}', 404],
  ['no JSON', 'complete', '{', 400],
  ['a NUL character', 'complete', '"\\u0000"', 400],
  ['too much', 'complete', JSON.stringify('x'.repeat(2_000)), 413],
])('%s is refused', async (_, verb, body, status) => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], { ...allow, maxResultBytes: 1_000 })
  await submit(server, { name: 'later' })
  expect((await sayText(await accepted(), verb, body)).status).toBe(status)
})

test('when the deadline has passed the service is called again, and the first call can say nothing more', async () => {
  const { later, calls, accepted } = await acceptingService({
    callback: { deadlineMs: 60_000 },
    retry: { backoff: { initialMs: 0 } },
  })
  // the lease outlasts the deadline: else the attempt may be lost before it is overdue
  const server = await startTestServer([later], { ...allow, leaseMs: 600_000 })
  const id = await submit(server, { name: 'later' })
  const first = await accepted()
  await accepted()
  await pending(server)
  server.advance(60_001)
  await say(await accepted(1), 'complete', 'second')
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'second' })
  expect((await getRun(server, id)).attempts[0]?.error?.code).toBe('CALLBACK_OVERDUE')
  expect(calls).toHaveLength(2)
  expect(await say(first, 'complete', 'first')).toMatchObject({ status: 410, body: { code: 'CALLBACK_OVERDUE' } })
})

/** Waits until the server has recorded that it was accepted. */
async function pending({ executor }: TestServer) {
  const { hot } = executor.db
  await until(async () => (await hot`select from action_do.callbacks where accepted_at is not null`).length > 0)
}

test.each(['idempotent', 'unsafe'] as const)(
  'when the server stops, another one waits for the same %s call instead of making it again',
  async (effect) => {
    const { later, calls, accepted } = await acceptingService({ effect })
    const databaseUrl = await testDatabase()
    const publicUrl = { publicUrl: 'http://127.0.0.1:1' }
    const first = await startTestServer([later], { ...allow, ...publicUrl, databaseUrl })
    const id = await submit(first, { name: 'later' })
    const callback = await accepted()
    expect(callback.url).toMatch(/^http:\/\/127\.0\.0\.1:1\/callbacks\//)
    await pending(first)
    await first.stop()
    const second = await startTestServer([later], { ...allow, ...publicUrl, databaseUrl })
    await happened(second, id, effect === 'unsafe' ? 'PROBE_NEEDED' : 'WORKER_STOPPED')
    await say(
      { ...callback, url: callback.url.replace('http://127.0.0.1:1', new URL(second.url).origin) },
      'complete',
      'ok',
    )
    expect(await settled(second, id)).toMatchObject({ status: 'SUCCEEDED', result: 'ok' })
    expect(calls).toHaveLength(1)
  },
)

test('what a service says while no server waits is found by the next attempt', async () => {
  const { later, calls, accepted } = await acceptingService()
  const databaseUrl = await testDatabase()
  const worker = await startTestServer([later], { ...allow, databaseUrl })
  const api = await startTestServer([later], { ...allow, databaseUrl, role: 'api' })
  const id = await submit(worker, { name: 'later' })
  const callback = await accepted()
  await pending(worker)
  await worker.stop()
  const url = callback.url.replace(new URL(callback.url).origin, new URL(api.url).origin)
  expect((await say({ ...callback, url }, 'complete', 'meanwhile')).status).toBe(204)
  const next = await startTestServer([later], { ...allow, databaseUrl })
  expect(await settled(next, id)).toMatchObject({ status: 'SUCCEEDED', result: 'meanwhile' })
  expect(calls).toHaveLength(1)
})

test.each(['idempotent', 'unsafe'] as const)(
  'however often its workers crash, an %s run that waits for a callback goes on to wait',
  async (effect) => {
    const { later, calls, accepted } = await acceptingService({ effect })
    // a worker learns within a third of its lease that it has lost it
    const server = await startTestServer([later], { ...allow, maxLosses: 2, leaseMs: 3_000 })
    const id = await submit(server, { name: 'later' })
    const callback = await accepted()
    await pending(server)
    const lost = async () => (await getRun(server, id)).attempts.filter(({ status }) => status === 'LOST').length
    for (let crash = 1; crash <= 4; crash++) {
      const { hot } = server.executor.db
      const [run] = await hot<{ workerId: string }[]>`
        select worker_id as "workerId" from action_do.runs where worker_id is not null`
      await expireLease(server.executor.db, run!.workerId)
      server.executor.lookAtEverything()
      await expect.poll(lost, { timeout: 10_000 }).toBe(crash)
      await expect.poll(async () => (await getRun(server, id)).status, { timeout: 10_000 }).toBe('RUNNING')
    }
    await say(callback, 'complete', 'ok')
    expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'ok' })
    expect(calls).toHaveLength(1)
  },
)

test('a run that waits for a callback takes no slot', async () => {
  const { later, calls, accepted } = await acceptingService()
  const server = await startTestServer([later], { ...allow, concurrency: 1 })
  const ids = []
  for (let i = 0; i < 3; i++) ids.push(await submit(server, { name: 'later' }))
  await accepted(2)
  for (const call of calls) await say(offeredIn(call), 'complete', call.body.runId)
  for (const id of ids) expect((await settled(server, id)).result).toBe(id)
})

test('a run that is canceled while it waits ends at once', async () => {
  const { later, accepted } = await acceptingService()
  const server = await startTestServer([later], allow)
  const id = await submit(server, { name: 'later' })
  await accepted()
  await server.query('mutation($id: ID!) { cancelRun(input: { id: $id }) { __typename } }', { id })
  expect((await settled(server, id)).status).toBe('CANCELED')
})

test.each([
  ['idempotent', 'FAILED'],
  ['unsafe', 'INDETERMINATE'],
] as const)('202 where nobody can call back is an outcome that nobody knows: %s is %s', async (effect, status) => {
  const { url } = await scriptedService((res) => res.writeHead(202).end())
  const later = httpAction('later', { url, secret: SECRET, effect, retry: { maxAttempts: 1 } })
  const server = await startTestServer([later], allow)
  const { run } = await server.execute({ name: 'later' })
  expect(run).toMatchObject({ status, error: { code: 'NO_CALLBACK' } })
})

test('a service that answers at once after all has answered', async () => {
  const { url } = await scriptedService((res) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end('"at once"'),
  )
  const later = httpAction('later', { url, secret: SECRET, callback: { deadlineMs: 1_000 } })
  const server = await startTestServer([later], allow)
  expect((await server.execute({ name: 'later' })).run?.result).toBe('at once')
})
