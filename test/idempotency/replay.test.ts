import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/** An effect with a store of its own: what was done, whatever the server says of it. */
function cashbox(behave: (cents: number) => void = () => {}) {
  const charges: { cents: number; key: string }[] = []
  const charge = action('charge', {
    params: z.object({ cents: z.number() }),
    retry: { maxAttempts: 1 },
    run: ({ params, idempotencyKey }) => {
      charges.push({ cents: params.cents, key: idempotencyKey })
      behave(params.cents)
      return { receipt: charges.length }
    },
  })
  return { charge, charges }
}

test('1: a new key executes once, and its result can be replayed', async () => {
  const { charge, charges } = cashbox()
  const server = await startTestServer([charge])
  const input = { name: 'charge', params: { cents: 1200 }, idempotencyKey: 'invoice-1' }
  const first = await server.execute(input)
  expect(first).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED', result: { receipt: 1 } } })
  expect(charges).toEqual([{ cents: 1200, key: first.run?.id }])
  const other = await server.execute({ ...input, idempotencyKey: 'invoice-2' })
  expect(other).toMatchObject({ replayed: false, run: { result: { receipt: 2 } } })
  expect((await server.execute(input)).run).toEqual(first.run)
  expect(charges).toHaveLength(2)
})

test('2: a replay after success answers with the identical payload, says so, and does nothing', async () => {
  const { charge, charges } = cashbox()
  const databaseUrl = await testDatabase()
  const server = await startTestServer([charge], { databaseUrl })
  const input = { name: 'charge', params: { cents: 700 }, idempotencyKey: 'invoice-1' }
  const first = await server.execute(input)
  // on the node that did it, on another one, and after a restart
  const other = await startTestServer([charge], { databaseUrl })
  for (const node of [server, other]) expect(await node.execute(input)).toEqual({ ...first, replayed: true })
  // how it was to be executed is no part of the request
  const later = { priority: 5, waitMs: 0, runAt: new Date(Date.now() + 60_000).toISOString() }
  expect(await server.execute({ ...input, ...later })).toEqual({ ...first, replayed: true })
  await server.stop()
  const restarted = await startTestServer([charge], { databaseUrl })
  expect(await restarted.execute(input)).toEqual({ ...first, replayed: true })
  expect(charges).toHaveLength(1)
})

test('3: a replay of a permanent failure answers with the stored failure, and executes nothing', async () => {
  let declines = true
  const { charge, charges } = cashbox(() => {
    if (declines) throw new NonRetryableError('declined', { code: 'CARD_DECLINED', details: { last4: '0002' } })
  })
  const server = await startTestServer([charge])
  const input = { name: 'charge', params: { cents: 700 }, idempotencyKey: 'invoice-1' }
  const first = await server.execute(input)
  expect(first).toMatchObject({
    replayed: false,
    run: { status: 'FAILED', error: { code: 'CARD_DECLINED', details: { last4: '0002' } } },
  })
  declines = false
  expect(await server.execute(input)).toEqual({ ...first, replayed: true })
  expect(charges).toHaveLength(1)

  // a replay shows the run as it now stands: so after an operator's retry, its success
  await server.query('mutation($id: ID!) { retryRun(input: { id: $id }) { __typename } }', { id: first.run?.id })
  await settled(server, first.run?.id ?? '')
  const replay = await server.execute(input)
  expect(replay).toMatchObject({ replayed: true, run: { id: first.run?.id, status: 'SUCCEEDED', error: null } })
  expect(charges).toHaveLength(2)
})

test('4: what is refused before anything is recorded uses up no key: authentication, validation, limits', async () => {
  const { charge, charges } = cashbox()
  const busy = latch()
  const slow = action('slow', { run: () => busy.opened })
  const server = await startTestServer([charge, slow], { concurrency: 1, queueLimit: 1, maxParamsBytes: 1_000 })
  const good = { name: 'charge', params: { cents: 700 }, idempotencyKey: 'invoice-1' }
  const document = 'mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename } }'

  const body = { query: document, variables: { input: good } }
  expect((await server.post(body, { authorization: 'Bearer not-a-key-of-this-server' })).status).toBe(401)
  const refusals = [
    [{ ...good, params: { cents: 'seven' } }, 'INVALID_PARAMS'],
    [{ ...good, params: { cents: 700, note: 'n'.repeat(1_000) } }, 'PAYLOAD_TOO_LARGE'],
    [{ ...good, name: 'change' }, 'ACTION_NOT_FOUND'],
    [{ ...good, priority: 10_000 }, 'INVALID_INPUT'],
  ] as const
  for (const [input, code] of refusals) expect(await server.execute(input)).toMatchObject({ code })
  // the only slot is taken, and the queue is full
  await submit(server, { name: 'slow' })
  const queued = await submit(server, { ...good, idempotencyKey: 'invoice-2' })
  expect(await server.execute(good)).toMatchObject({ code: 'RATE_LIMITED' })
  expect(charges).toEqual([])

  busy.open()
  await settled(server, queued)
  // other params than those that were refused: still the first use of the key
  const { replayed, run } = await server.execute({ ...good, params: { cents: 900 } })
  expect(replayed).toBe(false)
  expect(charges.filter(({ key }) => key === run?.id)).toEqual([{ cents: 900, key: run?.id }])
})

test('4: a refusal is never the answer to a replay: the key names a run, whatever would be refused now', async () => {
  const { charge, charges } = cashbox()
  const databaseUrl = await testDatabase()
  const server = await startTestServer([charge], { databaseUrl })
  const params = { cents: 700, note: 'n'.repeat(1_500) }
  const runAt = new Date(Date.now() - 60_000).toISOString()
  const input = { name: 'charge', params, idempotencyKey: 'invoice-1', runAt }
  const first = await server.execute(input)
  expect(first).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED' } })

  const strict = action('charge', { params: z.strictObject({ cents: z.number().max(100) }), run: () => 'not again' })
  const nodes = [
    await startTestServer([strict], { databaseUrl }),
    await startTestServer([charge], { databaseUrl, maxParamsBytes: 1_000 }),
    await startTestServer([], { databaseUrl }),
  ]
  for (const node of nodes) expect(await node.execute(input)).toEqual({ ...first, replayed: true })
  // two days later `runAt` is a moment that a new call may not name any more
  server.advance(2 * 86_400_000)
  expect(await server.execute({ ...input, idempotencyKey: 'new' })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await server.execute(input)).toEqual({ ...first, replayed: true })
  // other params get no outcome
  const others = { ...input, params: { cents: 701 } }
  expect(await nodes[0]?.execute(others)).toMatchObject({ code: 'INVALID_PARAMS' })
  expect(await server.execute({ ...others, runAt: undefined })).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  expect(charges).toHaveLength(1)
})

test("7: the same key under another action's name is independent", async () => {
  const done: string[] = []
  const actions = ['create', 'delete'].map((name) => action(name, { run: () => done.push(name) }))
  const server = await startTestServer(actions)
  const [created, deleted] = [
    await server.execute({ name: 'create', idempotencyKey: 'user-1', params: { id: 1 } }),
    await server.execute({ name: 'delete', idempotencyKey: 'user-1', params: { id: 2 } }),
  ]
  expect(created).toMatchObject({ replayed: false, run: { result: 1 } })
  expect(deleted).toMatchObject({ replayed: false, run: { result: 2 } })
  expect(created.run?.id).not.toBe(deleted.run?.id)
  expect(done).toEqual(['create', 'delete'])
})

test("7: after the action's version changed, its key answers with the stored outcome", async () => {
  const executed: string[] = []
  const versioned = (version: string) =>
    action('greet', { version, run: () => `version ${executed.push(version) && version}` })
  const databaseUrl = await testDatabase()
  const old = await startTestServer([versioned('1')], { databaseUrl })
  const first = await old.execute({ name: 'greet', idempotencyKey: 'hello' })
  await old.stop()
  const server = await startTestServer([versioned('2')], { databaseUrl })
  expect(await server.execute({ name: 'greet', idempotencyKey: 'hello' })).toEqual({ ...first, replayed: true })
  expect(first.run?.result).toBe('version 1')
  expect((await server.execute({ name: 'greet', idempotencyKey: 'again' })).run?.result).toBe('version 2')
  expect(executed).toEqual(['1', '2'])
})
