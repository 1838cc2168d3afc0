import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ActionFailed, createActionHandler, LATER, TryLater } from '../../sdk/src/service/index.ts'
import { NonRetryableError, RetryAfterError } from '../../sdk/src/worker/index.ts'
import { OTHER_SECRET, SECRET } from '../support/http-service.ts'
import { answerOf, callOf } from '../support/service-calls.ts'

/** Counts its executions, and answers with the count. */
function counting() {
  let count = 0
  const handler = createActionHandler({
    secret: SECRET,
    actions: {
      act: { params: z.object({ n: z.number().default(7) }), run: ({ params }) => ({ count: ++count, ...params }) },
    },
  })
  return { handler, count: () => count }
}

test('a call that was signed is executed, with the params as the schema leaves them', async () => {
  const { handler } = counting()
  const response = await handler(callOf())
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await answerOf(response)).toEqual({ status: 200, body: { count: 1, n: 7 } })
})

test('a call that is repeated is answered from memory', async () => {
  const { handler, count } = counting()
  const first = await answerOf(await handler(callOf({ attempt: 1 })))
  expect(await answerOf(await handler(callOf({ attempt: 2 })))).toEqual(first)
  expect(count()).toBe(1)
})

test('the same key with other params is refused', async () => {
  const { handler, count } = counting()
  await handler(callOf())
  expect(await answerOf(await handler(callOf({ params: { n: 8 } })))).toMatchObject({
    status: 422,
    body: { code: 'IDEMPOTENCY_MISMATCH' },
  })
  expect(count()).toBe(1)
})

test('calls of one key that come at once are one execution', async () => {
  const { handler, count } = counting()
  const answers = await Promise.all(Array.from({ length: 20 }, async () => answerOf(await handler(callOf()))))
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(count()).toBe(1)
})

describe('nothing is executed', () => {
  const HOUR = 3_600_000
  test.each([
    ['without a signature', { headers: { 'webhook-signature': '' } }, 401, 'SIGNATURE_MISSING'],
    ['with the signature of another secret', { secret: OTHER_SECRET }, 401, 'SIGNATURE_INVALID'],
    ['with a signature of another version', { headers: { 'webhook-signature': 'v1a,AAAA' } }, 401, 'SIGNATURE_INVALID'],
    ['with a signature that is no base64', { headers: { 'webhook-signature': 'v1,***' } }, 401, 'SIGNATURE_INVALID'],
    ['with another id than was signed', { headers: { 'webhook-id': 'key-2' } }, 401, 'SIGNATURE_INVALID'],
    ['under another key than was signed', { headers: { 'idempotency-key': 'key-2' } }, 400, 'KEY_NOT_SIGNED'],
    ['with a time that was not signed', { headers: { 'webhook-timestamp': '1' } }, 401, 'SIGNATURE_INVALID'],
    ['an hour after it was signed', { at: new Date(Date.now() - HOUR) }, 401, 'TIMESTAMP_OUT_OF_RANGE'],
    ['an hour before it was signed', { at: new Date(Date.now() + HOUR) }, 401, 'TIMESTAMP_OUT_OF_RANGE'],
    ['for an action that is unknown', { action: 'other' }, 404, 'ACTION_NOT_FOUND'],
    ['for what every object has', { action: 'toString' }, 404, 'ACTION_NOT_FOUND'],
    ['with params that do not fit', { params: { n: 'x' } }, 422, 'INVALID_PARAMS'],
    ['for another operation', { operation: 'destroy' }, 400, 'BODY_INVALID'],
    ['with a body that is no JSON', { body: '{' }, 400, 'BODY_INVALID'],
    ['with a body that is no object', { body: '[1]' }, 400, 'BODY_INVALID'],
    ['with a body that is too large', { body: JSON.stringify('x'.repeat(9_000_000)) }, 413, 'BODY_TOO_LARGE'],
  ])('%s', async (_, wrong, status, code) => {
    const { handler, count } = counting()
    const response = await handler(callOf(wrong))
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await answerOf(response)).toMatchObject({ status, body: { status, code } })
    expect(count()).toBe(0)
  })

  test('with a body that was changed', async () => {
    const { handler, count } = counting()
    const { headers } = callOf()
    const body = JSON.stringify({ operation: 'execute', action: 'act', runId: 'run_1', attempt: 1, params: { n: 1e9 } })
    const forged = new Request('http://service.example/', { method: 'POST', headers, body })
    expect((await handler(forged)).status).toBe(401)
    expect(count()).toBe(0)
  })

  test('for a GET', async () => {
    const { handler } = counting()
    expect((await handler(new Request('http://service.example/'))).status).toBe(405)
  })

  test('when a call that was caught is sent again under the same key: it is the first one’s answer', async () => {
    const { handler, count } = counting()
    const call = callOf()
    const replay = call.clone()
    await handler(call)
    expect(await answerOf(await handler(replay))).toMatchObject({ status: 200, body: { count: 1 } })
    expect(count()).toBe(1)
  })
})

test('while secrets are rotated, a call signed with any of them is taken', async () => {
  const handler = createActionHandler({ secret: [OTHER_SECRET, SECRET], actions: { act: { run: () => 1 } } })
  for (const secret of [SECRET, OTHER_SECRET]) expect((await handler(callOf({ secret, key: secret }))).status).toBe(200)
  const several = callOf({ secret: SECRET, key: 'both' })
  const signatures = `v1,${btoa('x'.repeat(32))} ${several.headers.get('webhook-signature')}`
  expect((await handler(callOf({ key: 'both', headers: { 'webhook-signature': signatures } }))).status).toBe(200)
})

test('clocks that differ by four minutes still agree', async () => {
  const { handler } = counting()
  for (const sign of [1, -1])
    expect((await handler(callOf({ key: `${sign}`, at: new Date(Date.now() + sign * 240_000) }))).status).toBe(200)
})

test('a permanent failure is remembered, one that may pass is not', async () => {
  const thrown = [
    new Error('down'),
    new TryLater('busy', 1_500),
    new ActionFailed('no', { code: 'NO', details: { a: 1 } }),
  ]
  const handler = createActionHandler({
    secret: SECRET,
    actions: {
      act: {
        run: () => {
          throw thrown.shift()
        },
      },
    },
  })
  expect(await answerOf(await handler(callOf()))).toMatchObject({
    status: 500,
    body: { code: 'SERVICE_FAILED', title: 'down' },
  })
  const busy = await handler(callOf())
  expect(busy.headers.get('retry-after')).toBe('2')
  expect(await answerOf(busy)).toMatchObject({ status: 503, body: { code: 'TRY_LATER' } })
  const failed = { status: 422, body: { code: 'NO', title: 'no', details: { a: 1 } } }
  expect(await answerOf(await handler(callOf()))).toMatchObject(failed)
  expect(await answerOf(await handler(callOf()))).toMatchObject(failed)
  expect(thrown).toEqual([])
})

test('what a function throws that a remote worker executes too means the same', async () => {
  const answerTo = async (error: Error) => {
    const run = () => Promise.reject(error)
    return await answerOf(await createActionHandler({ secret: SECRET, actions: { act: { run } } })(callOf()))
  }
  expect(await answerTo(new NonRetryableError('no', { code: 'NO' }))).toMatchObject({
    status: 422,
    body: { code: 'NO' },
  })
  expect(await answerTo(new RetryAfterError('busy', 1_500))).toMatchObject({
    status: 503,
    body: { code: 'RETRY_AFTER' },
  })
})

test('what a function throws by mistake is told to whoever asked', async () => {
  const told: unknown[] = []
  const handler = createActionHandler({
    secret: SECRET,
    actions: { act: { run: () => Promise.reject(new Error('down')) } },
    onError: (error, { action, runId }) => void told.push([String(error), action, runId]),
  })
  await handler(callOf())
  expect(told).toEqual([['Error: down', 'act', 'run_1']])
})

test('a function that finishes later is given the callback, and answers 202', async () => {
  const callback = { url: 'http://server/callbacks/x', token: 't', deadline: '2027-01-01T00:00:00.000Z' }
  const seen: unknown[] = []
  const handler = createActionHandler({
    secret: SECRET,
    actions: {
      act: {
        run: (context) => {
          seen.push(context.callback)
          return LATER
        },
      },
    },
  })
  expect((await handler(callOf({ callback }))).status).toBe(202)
  expect((await handler(callOf({ callback, attempt: 2 }))).status).toBe(202)
  expect(seen).toEqual([callback])
})

test('a probe is asked each time, and without one nobody can tell', async () => {
  const answers = [{ outcome: 'not-executed' as const }, { outcome: 'succeeded' as const, result: 1 }]
  const handler = createActionHandler({
    secret: SECRET,
    actions: { act: { run: () => 1, probe: () => answers.shift()! }, other: { run: () => 1 } },
  })
  const ask = async (action: string) => (await answerOf(await handler(callOf({ operation: 'probe', action })))).body
  expect(await ask('act')).toEqual({ outcome: 'not-executed' })
  expect(await ask('act')).toEqual({ outcome: 'succeeded', result: 1 })
  expect(await ask('other')).toEqual({ outcome: 'unknown' })
})

test('what cannot be undone says so', async () => {
  const { handler } = counting()
  expect(await answerOf(await handler(callOf({ operation: 'compensate' })))).toMatchObject({
    status: 404,
    body: { code: 'NOT_COMPENSABLE' },
  })
})

test.each(['', 'secret', 'whsec_', 'whsec_c2hvcnQ=', []])(
  'the secret %j is refused when the handler is made',
  (secret) => {
    expect(() => createActionHandler({ secret, actions: {} })).toThrow(TypeError)
  },
)
