import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { action, NonRetryableError, OutcomeUnknownError } from '../../src/index.ts'
import { cancel } from '../support/control.ts'
import { createNotes, notesIn } from '../support/notes.ts'
import { aborted, getRun, happened, latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

const LATER = { runAt: '2099-01-01T00:00:00Z' }

/** Runs until its signal is aborted, tells why, and then does what it should not. */
function stubborn() {
  const started = latch()
  const told = latch<unknown>()
  const gaveIn = latch()
  const definition = action('stubborn', {
    run: async ({ signal, heartbeat }) => {
      heartbeat({ before: true })
      started.open()
      told.open(await aborted(signal))
      heartbeat({ after: true })
      await gaveIn.opened
      return 'done in spite of it'
    },
  })
  return { definition, started, told, gaveIn }
}

test('a run that is SCHEDULED is canceled and never runs', async () => {
  let calls = 0
  const server = await startTestServer([action('count', { run: () => ++calls })])
  const id = await submit(server, { name: 'count', ...LATER })
  expect(await cancel(server, { id, reason: 'not needed' })).toEqual({
    __typename: 'CancelRunPayload',
    replayed: false,
    run: { id, status: 'CANCELED' },
  })
  server.advance(80 * 365 * 86_400_000)
  const other = await server.execute({ name: 'count' })
  expect(other.run?.result).toBe(1)
  const run = await getRun(server, id)
  expect(run).toMatchObject({
    status: 'CANCELED',
    attempts: [],
    error: { code: 'CANCELED', message: 'Canceled: not needed', retryable: false },
  })
  expect(run.events.at(-1)).toMatchObject({
    seq: 2,
    from: 'SCHEDULED',
    to: 'CANCELED',
    reason: 'CANCEL_REQUESTED',
    attempt: null,
    data: { reason: 'not needed' },
    actor: 'DO_API_KEY',
  })
})

test('a run that is QUEUED is canceled and never runs', async () => {
  const calls: unknown[] = []
  const free = latch()
  const server = await startTestServer(
    [
      action('turn', {
        run: async ({ params }) => {
          calls.push(params)
          await free.opened
        },
      }),
    ],
    { concurrency: 1 },
  )
  const first = await submit(server, { name: 'turn', params: 'first' })
  const id = await submit(server, { name: 'turn', params: 'second' })
  expect((await getRun(server, id)).status).toBe('QUEUED')
  expect((await cancel(server, { id })).run?.status).toBe('CANCELED')
  const third = await submit(server, { name: 'turn', params: 'third' })
  free.open()
  await Promise.all([settled(server, first), settled(server, third)])
  expect(calls).toEqual(['first', 'third'])
  expect(await getRun(server, id)).toMatchObject({ status: 'CANCELED', attempts: [], lastSeq: 2 })
})

test.each(['this node', 'another node'])(
  'a run that is RUNNING is canceled on %s: its handler is told, and what it does later changes nothing',
  async (where) => {
    const { definition, started, told, gaveIn } = stubborn()
    const actions = [definition, action('next', { run: () => 'next' })]
    // the poll would find it as well: on the same node nobody has to wait for it
    const poll = where === 'this node' ? { pollMs: 60_000 } : {}
    const server = await startTestServer(actions, { concurrency: 1, ...poll })
    const { databaseUrl } = server
    const operator = where === 'this node' ? server : await startTestServer([], { databaseUrl, role: 'api' })
    const caller = server.execute({ name: 'stubborn' })
    await started.opened
    const { runs } = await server.query<{ runs: { nodes: { id: string }[] } }>('{ runs { nodes { id } } }')
    const id = runs.nodes[0]?.id ?? ''
    expect((await cancel(operator, { id })).run).toEqual({ id, status: 'CANCELED' })
    expect(await told.opened).toMatchObject({ code: 'RUN_REVOKED' })
    // whoever waits for the outcome has it
    expect((await caller).run).toMatchObject({ id, status: 'CANCELED', result: null })
    const before = await getRun(server, id)
    expect(before.attempts).toMatchObject([{ number: 1, status: 'CANCELED', error: { code: 'CANCELED' } }])
    expect(before.events.slice(-2).map(({ reason }) => reason)).toEqual(['STARTED', 'CANCEL_REQUESTED'])
    gaveIn.open()
    // the slot is free again
    expect((await server.execute({ name: 'next' })).run?.result).toBe('next')
    expect(await getRun(server, id)).toEqual(before)
    expect(before.heartbeat).not.toEqual({ after: true })
  },
)

test('what a canceled transactional handler wrote is rolled back', async () => {
  const started = latch()
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx, signal }) => {
      await tx.execute(sql`insert into notes values ('half')`)
      started.open()
      await aborted(signal)
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const id = await submit(server, { name: 'writer' })
  await started.opened
  expect((await cancel(server, { id })).run?.status).toBe('CANCELED')
  expect((await settled(server, id)).status).toBe('CANCELED')
  await server.stop()
  expect(await notesIn(server)).toEqual([])
})

test('a run that waits out a backoff is canceled, and no further attempt follows', async () => {
  const flaky = action('flaky', {
    retry: { backoff: { initialMs: 60_000, factor: 1, maxMs: 60_000, jitter: false } },
    run: () => {
      throw new Error('again')
    },
  })
  const server = await startTestServer([flaky])
  const id = await submit(server, { name: 'flaky' })
  await happened(server, id, 'RETRY_SCHEDULED')
  expect((await cancel(server, { id })).run?.status).toBe('CANCELED')
  server.advance(3_600_000)
  expect(await getRun(server, id)).toMatchObject({ status: 'CANCELED', attempts: [{ number: 1, status: 'FAILED' }] })
})

test('a run that is INDETERMINATE is canceled', async () => {
  const lost = action('lost', {
    effect: 'unsafe',
    run: () => {
      throw new OutcomeUnknownError('no answer')
    },
  })
  const server = await startTestServer([lost])
  const { run } = await server.execute({ name: 'lost' })
  expect(run?.status).toBe('INDETERMINATE')
  expect((await cancel(server, { id: run?.id })).run?.status).toBe('CANCELED')
})

test('a run that has ended cannot be canceled, and says in which state it is', async () => {
  const good = action('good', { run: () => 1 })
  const bad = action('bad', {
    run: () => {
      throw new NonRetryableError('no')
    },
  })
  const server = await startTestServer([good, bad])
  const ended = [await server.execute({ name: 'good' }), await server.execute({ name: 'bad' })]
  const canceled = await submit(server, { name: 'good', ...LATER })
  await cancel(server, { id: canceled })
  for (const [id, status] of [...ended.map(({ run }) => [run?.id, run?.status]), [canceled, 'CANCELED']]) {
    const before = await getRun(server, id ?? '')
    expect(await cancel(server, { id })).toMatchObject({
      __typename: 'InvalidTransitionError',
      code: 'INVALID_TRANSITION',
      status,
      message: expect.stringContaining(`is ${status} cannot be canceled`),
    })
    expect(await getRun(server, id ?? '')).toEqual(before)
  }
})

test('a reason is text of at most 1,000 characters', async () => {
  const server = await startTestServer([action('good', { run: () => 1 })])
  const id = await submit(server, { name: 'good', ...LATER })
  for (const reason of ['x'.repeat(1_001), 'a\u0000b', '\ud800'])
    expect(await cancel(server, { id, reason })).toMatchObject({ __typename: 'InvalidInputError', path: 'reason' })
  expect((await cancel(server, { id, reason: '🔑'.repeat(500) })).run?.status).toBe('CANCELED')
})
