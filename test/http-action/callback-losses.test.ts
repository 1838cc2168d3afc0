import { expect, test } from 'vitest'
import { type Action, httpAction } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { ALLOW_LOCAL, SECRET, type SeenCall, scriptedService } from '../support/http-service.ts'
import { startProxy } from '../support/proxy.ts'
import { getRun, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

/** An unsafe action that has a single attempt, and whose service finishes later. */
function unsafeAction(url: string): Action {
  const callback = { deadlineMs: 3_600_000 }
  return httpAction('later', { url, secret: SECRET, effect: 'unsafe', callback, retry: { maxAttempts: 1 } }) as Action
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
  const { hot } = first.executor.db
  await until(async () => (await hot`select from action_do.callbacks where accepted_at is not null`).length > 0)
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
