import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  ActionFailed,
  type ActionHandlerOptions,
  createActionHandler,
  toNodeListener,
} from '../../sdk/src/service/index.ts'
import { httpAction, workflow } from '../../src/index.ts'
import {
  ALLOW_LOCAL,
  OTHER_SECRET,
  SECRET,
  scriptedService,
  sendJson,
  sendProblem,
  startService,
} from '../support/http-service.ts'
import { uuidOf } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

const NO_WAIT = { backoff: { initialMs: 0 } }
const allow = { httpActionsAllow: ALLOW_LOCAL }

const serve = (options: Pick<ActionHandlerOptions<undefined>, 'actions'>) =>
  startService(toNodeListener(createActionHandler({ secret: SECRET, ...options })))

test('a service executes the action, and its answer is the result of the run', async () => {
  const url = await serve({
    actions: { greet: { run: ({ params }) => ({ greeting: `Hello, ${(params as { name: string }).name}` }) } },
  })
  const greet = httpAction('greet', {
    url,
    secret: SECRET,
    params: z.object({ name: z.string() }),
    result: z.object({ greeting: z.string() }),
  })
  const server = await startTestServer([greet], allow)
  const { run } = await server.execute({ name: 'greet', params: { name: 'Ada' } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { greeting: 'Hello, Ada' }, error: null })
  expect(run?.events.map(({ reason }) => reason)).toEqual(['STARTED', 'COMPLETED'])
})

test('a call carries the key, the attempt, the trace and a signature of all that matters', async () => {
  const { url, calls } = await scriptedService((res) => sendJson(res, 200, null))
  const server = await startTestServer([httpAction('note', { url: `${url}hook?a=1`, secret: SECRET })], allow)
  const { run } = await server.execute({ name: 'note', params: { n: 1 } })
  const [{ headers, text, body }] = calls as [(typeof calls)[0]]
  expect(body).toEqual({ operation: 'execute', action: 'note', runId: run?.id, attempt: 1, params: { n: 1 } })
  expect(headers).toMatchObject({ 'idempotency-key': run?.id, 'webhook-id': run?.id, 'action-attempt': '1' })
  expect(headers.traceparent).toMatch(new RegExp(`^00-${uuidOf(run!.id).replaceAll('-', '')}-[0-9a-f]{16}-01$`))
  expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toEqual(body)
})

test('while secrets are rotated, a call is signed with each of them', async () => {
  const { url, calls } = await scriptedService((res) => sendJson(res, 200, null))
  const server = await startTestServer([httpAction('note', { url, secret: [SECRET, OTHER_SECRET] })], allow)
  await server.execute({ name: 'note' })
  const { headers, text } = calls[0]!
  expect(String(headers['webhook-signature']).split(' ')).toHaveLength(2)
  for (const secret of [SECRET, OTHER_SECRET])
    expect(() => new Webhook(secret).verify(text, headers as Record<string, string>)).not.toThrow()
})

test('a failure that may pass is repeated under the same key, and the attempts are numbered', async () => {
  const { url, calls } = await scriptedService((res, _, i) => sendJson(res, i < 2 ? 500 : 200, i))
  const server = await startTestServer([httpAction('flaky', { url, secret: SECRET, retry: NO_WAIT })], allow)
  const { run } = await server.execute({ name: 'flaky' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 2 })
  expect(run?.attempts.map(({ error }) => error?.code)).toEqual(['HTTP_500', 'HTTP_500', undefined])
  expect(calls.map(({ headers }) => headers['action-attempt'])).toEqual(['1', '2', '3'])
  expect(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
})

test('problem details become the error of the run', async () => {
  const problem = {
    type: 'https://bank.example/problems/card-declined',
    title: 'Declined',
    detail: 'No funds',
    balance: 3,
  }
  const { url } = await scriptedService((res) => sendProblem(res, 402, problem))
  const server = await startTestServer([httpAction('charge', { url, secret: SECRET })], allow)
  const { run } = await server.execute({ name: 'charge' })
  expect(run).toMatchObject({
    status: 'FAILED',
    error: { code: 'CARD_DECLINED', message: 'Declined: No funds', retryable: false, details: problem },
  })
  expect(run?.attempts).toHaveLength(1)
})

test('what a function of the service throws as permanent is the error of the run', async () => {
  const url = await serve({
    actions: {
      charge: {
        run: () => {
          throw new ActionFailed('Declined', { code: 'DECLINED', details: { balance: 3 } })
        },
      },
    },
  })
  const server = await startTestServer([httpAction('charge', { url, secret: SECRET })], allow)
  const { run } = await server.execute({ name: 'charge' })
  expect(run?.error).toMatchObject({ code: 'DECLINED', message: 'Declined', details: { details: { balance: 3 } } })
})

test('a workflow that fails has the service undo what it did, under another key', async () => {
  const seen: unknown[] = []
  const url = await serve({
    actions: {
      reserve: {
        run: ({ idempotencyKey }) => ({ reserved: idempotencyKey }),
        compensate: ({ params, result }) => void seen.push({ params, result }),
      },
      refuse: {
        run: () => {
          throw new ActionFailed('No')
        },
      },
    },
  })
  const reserve = httpAction('reserve', { url, secret: SECRET, compensate: true })
  const refuse = httpAction('refuse', { url, secret: SECRET })
  const order = workflow('order', { onError: 'compensate' })
    .step('reserve', reserve, () => ({ n: 1 }))
    .step('refuse', refuse, () => ({}))
  const server = await startWorkflowServer({ workflows: [order], ...allow })
  const run = await server.run({ name: 'order' })
  expect(run.status).toBe('COMPENSATED')
  expect(statesOf(run)).toMatchObject({ reserve: 'COMPENSATED' })
  expect(seen).toEqual([{ params: { n: 1 }, result: { reserved: expect.stringMatching(/^run_/) } }])
})

test('a step that makes the effect unsafe has what is unclear left to a person', async () => {
  const { url } = await scriptedService((res) => sendJson(res, 500, null))
  const wire = httpAction('wire', { url, secret: SECRET })
  const flow = workflow('flow').step('wire', wire, () => ({}), { effect: 'unsafe' })
  const server = await startWorkflowServer({ workflows: [flow], ...allow })
  expect((await server.run({ name: 'flow' })).status).toBe('INDETERMINATE')
})

test('a probe of the service decides what a lost answer of an unsafe action means', async () => {
  const seen: string[] = []
  const { url } = await scriptedService((res, { body }) => {
    seen.push(body.operation)
    if (body.operation === 'execute') res.socket?.destroy()
    else sendJson(res, 200, { outcome: 'succeeded', result: 'it happened' })
  })
  const server = await startTestServer(
    [httpAction('wire', { url, secret: SECRET, effect: 'unsafe', probe: true })],
    allow,
  )
  const { run } = await server.execute({ name: 'wire' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'it happened' })
  expect(seen).toEqual(['execute', 'probe'])
})

test.each([
  ['url is no URL', { url: 'service' }],
  ['url must begin with https', { url: 'ftp://service/' }],
  ['url holds a user', { url: 'https://me:secret@service/' }],
  ['secret must be whsec_', { secret: 'whsec_short' }],
  ['secret must be given', { secret: [] }],
])('a definition is refused where %s', (problem, wrong) => {
  const define = () => httpAction('wrong', { url: 'https://service/', secret: SECRET, ...wrong })
  expect(define).toThrow(problem)
  expect(define).not.toThrow(/secret@|whsec_short/)
})
