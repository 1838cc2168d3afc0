import { expect, test } from 'vitest'
import { type CallbackKey, takeFailures } from '../../src/db/callbacks.ts'
import { type Action, httpAction, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { ALLOW_LOCAL, SECRET, type SeenCall, scriptedService } from '../support/http-service.ts'
import { startProxy } from '../support/proxy.ts'
import { getRun, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

/** An unsafe action that has a single attempt, and whose service finishes later. */
function unsafeAction(url: string): Action {
  const callback = { deadlineMs: 3_600_000 }
  return httpAction('later', { url, secret: SECRET, effect: 'unsafe', callback, retry: { maxAttempts: 1 } }) as Action
}

/** The calls whose 202 was recorded. */
function calledAndAccepted({ executor }: TestServer) {
  return executor.db.hot<CallbackKey[]>`
    select bucket, run_id as "runId", key from action_do.callbacks where accepted_at is not null`
}

/** Calls back as the service does that was called. @param server another one than the call came from. */
async function say({ body }: SeenCall, verb: string, said: unknown, server?: string): Promise<void> {
  const { url, token } = body.callback as { url: string; token: string }
  const headers = { authorization: `Bearer ${token}` }
  const to = server === undefined ? url : url.replace(new URL(url).origin, new URL(server).origin)
  const { status } = await fetch(`${to}/${verb}`, { method: 'POST', headers, body: JSON.stringify(said) })
  expect(status).toBe(204)
}

test('an unsafe call that was the last one, and whose answer was lost, has succeeded when its service has said so', async () => {
  const { url, calls } = await scriptedService(async (res, call) => {
    await say(call, 'complete', 'done')
    res.destroy()
  })
  const server = await startTestServer([unsafeAction(url)], allow)
  const run = await settled(server, await submit(server, { name: 'later' }))
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(calls).toHaveLength(1)
})

test('an unsafe call that was the last one, and timed out, is waited for as long as its service is at it', async () => {
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const server = await startTestServer([{ ...unsafeAction(url), timeoutMs: 2_000 }], allow)
  const id = await submit(server, { name: 'later' })
  await until(async () => (await getRun(server, id)).attempts.some(({ status }) => status === 'TIMED_OUT'))
  await say(calls[0]!, 'complete', 'done')
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(calls).toHaveLength(1)
})

const losses = ['loseRequest', 'loseAnswer'] as const

test.each(losses)('an unsafe call that its service has accepted outlives a broken connection: %s', async (lose) => {
  const proxy = await startProxy(await testDatabase())
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const server = await startTestServer([unsafeAction(url)], { ...allow, databaseUrl: proxy.url })
  const lost = proxy[lose](/set accepted_at =/)
  const id = await submit(server, { name: 'later' })
  await lost
  await say(calls[0]!, 'complete', 'done')
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(run.attempts).toHaveLength(1)
})

test.each(losses)('what is known of an unsafe call is read again when the connection breaks: %s', async (lose) => {
  const databaseUrl = await testDatabase()
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const first = await startTestServer([unsafeAction(url)], { ...allow, databaseUrl })
  const id = await submit(first, { name: 'later' })
  await until(async () => (await calledAndAccepted(first)).length > 0)
  await first.stop()
  const proxy = await startProxy(databaseUrl)
  const byProbe = proxy[lose](/as "pendingUntil"/)
  const second = await startTestServer([unsafeAction(url)], { ...allow, databaseUrl: proxy.url })
  await byProbe
  await say(calls[0]!, 'complete', 'done', second.url)
  expect(await settled(second, id)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(calls).toHaveLength(1)
})

test('an unsafe call that its service has accepted has not failed where that cannot be recorded', async () => {
  const { url } = await scriptedService(async (res) => {
    await server.executor.db.hot`alter table action_do.callbacks rename column accepted_at to gone`
    res.writeHead(202).end()
  })
  const server = await startTestServer([unsafeAction(url)], allow)
  const { status, attempts } = await settled(server, await submit(server, { name: 'later' }))
  await server.executor.db.hot`alter table action_do.callbacks rename column gone to accepted_at`
  expect(status).toBe('INDETERMINATE')
  expect(attempts[0]?.error?.code).toBe('CALLBACK_UNKNOWN')
})

const BUSY = { code: 'BUSY', retryable: true }

/** An action that is called again at once, and whose service finishes later. */
function patientAction(url: string, effect: 'idempotent' | 'unsafe' = 'idempotent') {
  const callback = { deadlineMs: 3_600_000 }
  return httpAction('later', {
    url,
    secret: SECRET,
    effect,
    callback,
    retry: { maxAttempts: 2, backoff: { initialMs: 0 } },
  })
}

test('a failure is of one attempt also where the clock of its server is behind that of the database', async () => {
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const later = patientAction(url)
  const calling = workflow('calling').step('later', later, () => ({}))
  const server = await startWorkflowServer({ ...allow, actions: [later], workflows: [calling] })
  const { clock } = server.executor.db
  const inTime = clock.nowMs.bind(clock)
  clock.nowMs = () => inTime() - 5_000
  const { run } = await server.start({ name: 'calling' })
  await until(() => calls.length === 1)
  await say(calls[0]!, 'fail', BUSY)
  await until(() => calls.length === 2)
  await say(calls[1]!, 'complete', 'second')
  await until(async () => (await server.look(run!.id)).status === 'SUCCEEDED')
})

test('a failure that was said of a call whose answer was lost is that of the run', async () => {
  const { url, calls } = await scriptedService(async (res, call) => {
    await say(call, 'fail', { code: 'NO_STOCK' })
    res.destroy()
  })
  const server = await startTestServer([patientAction(url, 'unsafe') as Action], allow)
  const run = await settled(server, await submit(server, { name: 'later' }))
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'NO_STOCK' } })
  expect(calls).toHaveLength(1)
})

test('a failure that an attempt took up, and was cut before it had failed, is that of the next attempt', async () => {
  const databaseUrl = await testDatabase()
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const first = await startTestServer([patientAction(url) as Action], { ...allow, databaseUrl })
  const id = await submit(first, { name: 'later' })
  await until(async () => (await calledAndAccepted(first)).length > 0)
  await first.stop()
  const api = await startTestServer([patientAction(url) as Action], { ...allow, databaseUrl, role: 'api' })
  await say(calls[0]!, 'fail', { code: 'NO_STOCK' }, api.url)
  const [place] = await calledAndAccepted(api)
  await takeFailures(api.executor.db, place!, 1)
  const second = await startTestServer([patientAction(url) as Action], { ...allow, databaseUrl })
  const run = await settled(second, id)
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'NO_STOCK' } })
  expect(run.attempts.map(({ status }) => status)).toEqual(['CANCELED', 'FAILED'])
  expect(calls).toHaveLength(1)
})
