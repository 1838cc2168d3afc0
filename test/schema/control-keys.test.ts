import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { AT_ONCE, type ControlAnswer, cancel, retry } from '../support/control.ts'
import { recorded } from '../support/refusals.ts'
import { getRun, happened, latch, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const LATER = { runAt: '2099-01-01T00:00:00Z' }
const good = action('good', { run: () => 1 })

/** Fails at first, and waits for ever from the second attempt on. */
function failsOnce() {
  const free = latch()
  const definition = action('fails-once', {
    retry: { maxAttempts: 1, backoff: AT_ONCE },
    run: async ({ attempt }) => {
      if (attempt === 1) throw new Error('no')
      await free.opened
    },
  })
  return { definition, free }
}

const typesOf = (answers: ControlAnswer[]) => answers.map(({ __typename }) => __typename).sort()

test('a cancel that is repeated with its key is answered again and done once', async () => {
  const server = await startTestServer([good])
  const id = await submit(server, { name: 'good', ...LATER })
  const input = { id, reason: 'twice', idempotencyKey: 'click' }
  expect(await cancel(server, input)).toMatchObject({ replayed: false, run: { status: 'CANCELED' } })
  const after = await recorded(server)
  expect(await cancel(server, input)).toMatchObject({ replayed: true, run: { id, status: 'CANCELED' } })
  expect(await recorded(server)).toBe(after)
})

test('a cancel that is repeated after the run went on shows the run as it stands, and does not cancel it again', async () => {
  const server = await startTestServer([good])
  const id = await submit(server, { name: 'good', ...LATER })
  await cancel(server, { id, idempotencyKey: 'click' })
  await retry(server, { id })
  await settled(server, id)
  expect(await cancel(server, { id, idempotencyKey: 'click' })).toMatchObject({
    replayed: true,
    run: { status: 'SUCCEEDED' },
  })
})

test('a retry that is repeated with its key is answered again and done once', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'fails-once' })
  const input = { id: run?.id, params: { n: 1 }, newKey: true, reason: 'mended', idempotencyKey: 'click' }
  expect(await retry(server, input)).toMatchObject({ replayed: false })
  expect(await retry(server, input)).toMatchObject({ replayed: true })
  free.open()
  const ended = await settled(server, run?.id ?? '')
  expect(await retry(server, input)).toMatchObject({ replayed: true, run: { status: 'SUCCEEDED' } })
  expect(ended.events.filter(({ reason }) => reason === 'RETRY_REQUESTED')).toHaveLength(1)
  expect(await getRun(server, run?.id ?? '')).toEqual(ended)
})

test('the same key with other arguments is a mismatch, and nothing is done', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition, good])
  const id = await submit(server, { name: 'good', ...LATER })
  await cancel(server, { id, reason: 'a', idempotencyKey: 'click' })
  const failed = (await server.execute({ name: 'fails-once' })).run?.id
  await retry(server, { id: failed, params: { n: 1 }, idempotencyKey: 'click' })
  await happened(server, failed ?? '', 'STARTED', 2)
  const before = await recorded(server)
  const answers = [
    await cancel(server, { id, reason: 'b', idempotencyKey: 'click' }),
    await cancel(server, { id, idempotencyKey: 'click' }),
    await retry(server, { id: failed, params: { n: 2 }, idempotencyKey: 'click' }),
    await retry(server, { id: failed, idempotencyKey: 'click' }),
    await retry(server, { id: failed, params: { n: 1 }, newKey: true, idempotencyKey: 'click' }),
  ]
  for (const answer of answers)
    expect(answer).toMatchObject({ __typename: 'IdempotencyMismatchError', code: 'IDEMPOTENCY_MISMATCH' })
  expect(await recorded(server)).toBe(before)
  free.open()
})

test('params that only differ in the order of their members are the same arguments', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition])
  const id = (await server.execute({ name: 'fails-once' })).run?.id
  await retry(server, { id, params: { a: 1, b: [2] }, idempotencyKey: 'click' })
  expect(await retry(server, { id, params: { b: [2.0], a: 1 }, idempotencyKey: 'click' })).toMatchObject({
    replayed: true,
  })
  free.open()
})

test('a key belongs to one run and one kind of mutation', async () => {
  const server = await startTestServer([good])
  const [one, two] = [
    await submit(server, { name: 'good', ...LATER }),
    await submit(server, { name: 'good', ...LATER }),
  ]
  for (const id of [one, two])
    expect(await cancel(server, { id, idempotencyKey: 'click' })).toMatchObject({ replayed: false })
  expect(await retry(server, { id: one, idempotencyKey: 'click' })).toMatchObject({ replayed: false })
})

test('a refused mutation uses up no key', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition, good])
  const ended = (await server.execute({ name: 'good' })).run?.id
  const failed = (await server.execute({ name: 'fails-once' })).run?.id
  expect(await cancel(server, { id: failed, idempotencyKey: 'click' })).toMatchObject({ code: 'INVALID_TRANSITION' })
  await retry(server, { id: failed })
  expect(await cancel(server, { id: failed, idempotencyKey: 'click' })).toMatchObject({ replayed: false })
  expect(await retry(server, { id: ended, idempotencyKey: 'click' })).toMatchObject({ code: 'INVALID_TRANSITION' })
  free.open()
})

test.each(['', 'k'.repeat(256), 'a\nb', '\ud800'])('%j is no key for a control mutation', async (idempotencyKey) => {
  const server = await startTestServer([good])
  const id = await submit(server, { name: 'good', ...LATER })
  const before = await recorded(server)
  for (const control of [cancel, retry])
    expect(await control(server, { id, idempotencyKey })).toMatchObject({
      __typename: 'InvalidIdempotencyKeyError',
      code: 'INVALID_IDEMPOTENCY_KEY',
    })
  expect(await recorded(server)).toBe(before)
})

/** Twenty operators on two nodes. */
async function together(servers: TestServer[], click: (server: TestServer) => Promise<ControlAnswer>) {
  const clicks = Array.from({ length: 20 }, (_, i) => servers[i % servers.length] as TestServer)
  return Promise.all(clicks.map(click))
}

test('of twenty operators who cancel at once without a key, one does it', async () => {
  const server = await startTestServer([good])
  const other = await startTestServer([], { databaseUrl: server.databaseUrl, role: 'api' })
  const id = await submit(server, { name: 'good', ...LATER })
  const answers = await together([server, other], (node) => cancel(node, { id }))
  expect(typesOf(answers)).toEqual(['CancelRunPayload', ...Array(19).fill('InvalidTransitionError')])
  expect((await getRun(server, id)).lastSeq).toBe(2)
})

test('of twenty operators who retry at once without a key, one does it', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition])
  const other = await startTestServer([definition], { databaseUrl: server.databaseUrl, role: 'api' })
  const { run } = await server.execute({ name: 'fails-once' })
  const answers = await together([server, other], (node) => retry(node, { id: run?.id }))
  expect(typesOf(answers)).toEqual([...Array(19).fill('InvalidTransitionError'), 'RetryRunPayload'])
  free.open()
  expect((await settled(server, run?.id ?? '')).attempts).toHaveLength(2)
})

test('of twenty clicks with one key, one does it and all are answered', async () => {
  const { definition, free } = failsOnce()
  const server = await startTestServer([definition])
  const other = await startTestServer([definition], { databaseUrl: server.databaseUrl, role: 'api' })
  const { run } = await server.execute({ name: 'fails-once' })
  const answers = await together([server, other], (node) => retry(node, { id: run?.id, idempotencyKey: 'click' }))
  expect(answers.filter(({ replayed }) => replayed === false)).toHaveLength(1)
  expect(answers.filter(({ replayed }) => replayed === true)).toHaveLength(19)
  free.open()
  expect((await settled(server, run?.id ?? '')).attempts).toHaveLength(2)
})
