import { readdirSync, readFileSync } from 'node:fs'
import { buildSchema, type DocumentNode, getOperationAST, parse, validate } from 'graphql'
import { expect, onTestFinished, test } from 'vitest'
import { onboardingActions } from '../../examples/onboarding/actions.ts'
import { startMailServer } from '../../examples/onboarding/mail-server.ts'
import { startPaymentService } from '../../examples/onboarding/payment-service.ts'
import { migrate } from '../../examples/onboarding/tables.ts'
import { onboardUser } from '../../examples/onboarding/workflow.ts'
import { schema } from '../../src/schema/index.ts'
import { settled } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { webSocketClient } from '../support/subscriptions.ts'

const FOLDER = new URL('../../examples/operations/', import.meta.url)
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.graphql'))

interface Answer {
  __typename?: string
  run?: { id: string; status: string; result: unknown; attempts?: { number: number }[] }
  replayed?: boolean
  code?: string
}

const textOf = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8')

/** The example's world and a server with its actions and its workflow. */
async function startExample() {
  const [payments, mail] = [await startPaymentService(), await startMailServer()]
  onTestFinished(() => Promise.all([payments.stop(), mail.stop()]).then(() => {}))
  const actions = onboardingActions({ paymentUrl: payments.url, smtpPort: mail.port, stepMs: 1 })
  // a lease that outlasts the time that a test lets go by
  const server = await startTestServer(actions, { migrate, workflows: [onboardUser(actions)], leaseMs: 600_000 })
  return { server, payments, mail }
}

async function mutate(server: TestServer, file: string, variables = {}): Promise<Answer> {
  const answer = await server.query<Record<string, Answer>>(textOf(file), variables)
  return Object.values(answer)[0] ?? {}
}

test('there are examples, and each is one named operation of the schema', () => {
  expect(FILES.length).toBeGreaterThan(8)
  const documents: [string, DocumentNode][] = FILES.map((file) => [file, parse(textOf(file))])
  for (const [file, document] of documents) {
    expect(validate(schema, document), file).toEqual([])
    expect(getOperationAST(document)?.name?.value, file).toBeDefined()
  }
  // the check itself notices what does not fit
  expect(validate(buildSchema('type Query { a: Int }'), documents[0]![1])).not.toEqual([])
})

test.each([
  ['01-send-welcome-email.graphql', { messageId: expect.any(String) }],
  ['02-create-user.graphql', { id: expect.stringMatching(/^usr_/), email: 'ada@example.com' }],
  ['03-process-payment.graphql', { chargeId: expect.any(String), amountCents: 4900, currency: 'eur' }],
])('%s executes its action once, however often it is sent', async (file, result) => {
  const { server, payments, mail } = await startExample()
  expect(await mutate(server, file)).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED', result } })
  const again = await mutate(server, file)
  expect(again).toMatchObject({ replayed: true, run: { status: 'SUCCEEDED', result } })
  expect(mail.mails().length + payments.charges().length).toBe(file.startsWith('02') ? 0 : 1)
})

test('the queries show what was executed', async () => {
  const { server } = await startExample()
  const { run } = await mutate(server, '03-process-payment.graphql')
  const list = await server.query<{ runs: { edges: { node: object }[] } }>(textOf('04-runs.graphql'))
  expect(list.runs.edges).toMatchObject([
    {
      node: {
        id: run?.id,
        name: 'process-payment',
        attempts: [{ status: 'SUCCEEDED' }],
        events: [{ seq: 1 }, { seq: 2 }],
      },
    },
  ])
  const one = await server.query<{ run: object }>(textOf('05-run.graphql'), { id: run?.id })
  expect(one.run).toMatchObject({ id: run?.id, status: 'SUCCEEDED', params: { customerId: 'cus_12345' } })
})

test('the subscription to a run shows all of it and completes', async () => {
  const { server } = await startExample()
  const { run } = await mutate(server, '01-send-welcome-email.graphql')
  const events: unknown[] = []
  const client = webSocketClient(server.url)
  for await (const { data } of client.iterate({ query: textOf('06-watch-run.graphql'), variables: { id: run?.id } }))
    events.push(data)
  expect(events).toMatchObject([{ runEvents: { seq: 1 } }, { runEvents: { seq: 2, to: 'SUCCEEDED' } }])
})

test('the subscription to all runs shows one that is executed meanwhile', async () => {
  const { server } = await startExample()
  const watched = webSocketClient(server.url).iterate({ query: textOf('07-watch-runs.graphql') })
  const first = watched.next()
  // nothing tells a client that it is subscribed: go on until it has seen something
  let seen: object | undefined
  const noted = first.then(({ value }) => {
    seen = value?.data
  })
  while (!seen) {
    await server.execute({ name: 'send-welcome-email', params: { userId: 'usr_1', template: 't' } })
    await Promise.race([noted, new Promise((resolve) => setImmediate(resolve))])
  }
  expect(seen).toMatchObject({ runs: { id: expect.stringMatching(/^run_/), name: 'send-welcome-email' } })
  await watched.return?.()
})

test('a scheduled run is canceled, run again by hand, and then refuses both', async () => {
  const { server } = await startExample()
  const { run } = await mutate(server, '09-schedule-run.graphql')
  expect(run?.status).toBe('SCHEDULED')
  const id = run?.id
  expect(await mutate(server, '10-cancel-run.graphql', { id })).toMatchObject({
    replayed: false,
    run: { id, status: 'CANCELED' },
  })
  expect(await mutate(server, '08-retry-run.graphql', { id })).toMatchObject({ replayed: false, run: { id } })
  const events: unknown[] = []
  const client = webSocketClient(server.url)
  for await (const { data } of client.iterate({ query: textOf('06-watch-run.graphql'), variables: { id } }))
    events.push(data)
  expect(events.at(-1)).toMatchObject({ runEvents: { to: 'SUCCEEDED' } })
  for (const file of ['08-retry-run.graphql', '10-cancel-run.graphql'])
    expect(await mutate(server, file, { id })).toMatchObject({ code: 'INVALID_TRANSITION' })
})

test('a workflow is started once, and shows its steps', async () => {
  const { server, payments, mail } = await startExample()
  const { run } = await mutate(server, '11-onboard-user.graphql')
  await settled(server, run!.id)
  expect(await mutate(server, '11-onboard-user.graphql')).toMatchObject({ replayed: true, run: { id: run?.id } })
  const { run: shown } = await server.query<{ run: object }>(textOf('12-steps.graphql'), { id: run?.id })
  expect(shown).toMatchObject({
    status: 'SUCCEEDED',
    steps: ['user', 'resources', 'payment', 'welcome'].map((key) => ({
      key,
      status: 'SUCCEEDED',
      // the payment has a business key: it is another run that it waits for
      attempts: key === 'payment' ? [] : [{ number: 1, status: 'SUCCEEDED' }],
      params: expect.any(Object),
      durationMs: expect.any(Number),
      run: { linkedRun: key === 'payment' ? { attempts: [{ number: 1, status: 'SUCCEEDED' }] } : null },
    })),
  })
  expect([payments.charges().length, mail.mails().length]).toEqual([1, 1])
})

test('a step that failed is run again by hand, and then refuses', async () => {
  const { server, mail } = await startExample()
  await mail.stop()
  const { run } = await mutate(server, '11-onboard-user.graphql')
  const id = run!.id
  await finallyFailed(server, id)
  const { run: shown } = await server.query<{ run: object }>(textOf('12-steps.graphql'), { id })
  expect(shown).toMatchObject({ status: 'FAILED', error: { code: 'STEP_FAILED', details: { step: 'welcome' } } })
  const again = await startMailServer({ port: mail.port })
  onTestFinished(() => again.stop())
  expect(await mutate(server, '13-retry-step.graphql', { id })).toMatchObject({ replayed: false, run: { id } })
  expect((await settled(server, id)).status).toBe('SUCCEEDED')
  expect(again.mails()).toHaveLength(1)
  expect(await mutate(server, '13-retry-step.graphql', { id })).toMatchObject({ code: 'INVALID_TRANSITION' })
})

/** Durable time goes by as fast as the attempts need it to. */
async function finallyFailed(server: TestServer, id: string): Promise<void> {
  const client = webSocketClient(server.url)
  for await (const { data } of client.iterate<{ runEvents: { reason: string } }>({
    query: textOf('06-watch-run.graphql'),
    variables: { id },
  }))
    if (data?.runEvents.reason === 'RETRY_SCHEDULED') server.advance(60_000)
}
