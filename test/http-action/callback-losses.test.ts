import { expect, test } from 'vitest'
import { type Action, httpAction } from '../../src/index.ts'
import { ALLOW_LOCAL, SECRET, type SeenCall, scriptedService } from '../support/http-service.ts'
import { getRun, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

/** An unsafe action that has a single attempt, and whose service finishes later. */
function unsafeAction(url: string): Action {
  const callback = { deadlineMs: 3_600_000 }
  return httpAction('later', { url, secret: SECRET, effect: 'unsafe', callback, retry: { maxAttempts: 1 } }) as Action
}

/** Calls back as the service does that was called. */
async function say({ body }: SeenCall, verb: string, said: unknown): Promise<void> {
  const { url, token } = body.callback as { url: string; token: string }
  const headers = { authorization: `Bearer ${token}` }
  const { status } = await fetch(`${url}/${verb}`, { method: 'POST', headers, body: JSON.stringify(said) })
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
  const server = await startTestServer([{ ...unsafeAction(url), timeoutMs: 500 }], allow)
  const id = await submit(server, { name: 'later' })
  await until(async () => (await getRun(server, id)).attempts.some(({ status }) => status === 'TIMED_OUT'))
  await say(calls[0]!, 'complete', 'done')
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(calls).toHaveLength(1)
})
