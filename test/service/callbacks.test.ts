import { expect, test } from 'vitest'
import { beat, CallbackRefused, fail, finish } from '../../sdk/src/service/index.ts'
import { scriptedService, sendProblem, startService } from '../support/http-service.ts'

const callbackAt = (url: string) => ({
  url: `${url}callbacks/callback_1`,
  token: 'token',
  deadline: '2027-01-01T00:00:00Z',
})

test('a service says how it ended, or how far it has come, with its token', async () => {
  const seen: unknown[] = []
  const { url, calls } = await scriptedService((res) => res.writeHead(204).end())
  const callback = callbackAt(url)
  await finish(callback, undefined)
  await fail(callback, { code: 'NO', title: 'No' })
  await beat(callback, { done: 1 })
  for (const { headers, text } of calls) seen.push([headers.authorization, text])
  expect(seen).toEqual([
    ['Bearer token', 'null'],
    ['Bearer token', '{"code":"NO","title":"No"}'],
    ['Bearer token', '{"done":1}'],
  ])
})

test('what gets lost is said again, until it is taken', async () => {
  let requests = 0
  const url = await startService((req, res) => {
    requests++
    if (requests === 1) req.socket.destroy()
    else if (requests === 2) res.writeHead(503, { 'retry-after': '0' }).end()
    else res.writeHead(204).end()
  })
  await finish(callbackAt(url), 1)
  expect(requests).toBe(3)
})

test('a refusal is no reason to say it again', async () => {
  const { url, calls } = await scriptedService((res) =>
    sendProblem(res, 410, { code: 'CALLBACK_OVERDUE', title: 'Too late' }),
  )
  const refused = finish(callbackAt(url), 1)
  await expect(refused).rejects.toBeInstanceOf(CallbackRefused)
  await expect(refused).rejects.toMatchObject({ status: 410, code: 'CALLBACK_OVERDUE', message: 'Too late' })
  expect(calls).toHaveLength(1)
})

test('after so many repetitions it is given up', async () => {
  let requests = 0
  const url = await startService((_, res) => {
    requests++
    res.writeHead(500, { 'retry-after': '0' }).end()
  })
  await expect(finish(callbackAt(url), 1, { retries: 2 })).rejects.toMatchObject({ status: 500 })
  expect(requests).toBe(3)
})
