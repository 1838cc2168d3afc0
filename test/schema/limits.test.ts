import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { recorded } from '../support/refusals.ts'
import { happened, latch, settled, submit } from '../support/runs.ts'
import { type ExecuteAnswer, startTestServer, type TestServer } from '../support/server.ts'

/** Counts how many of its handlers run at once; each gives way to all that could begin meanwhile. */
class Meter {
  now = 0
  most = 0
  calls = 0

  async measure(): Promise<void> {
    this.calls++
    this.now++
    this.most = Math.max(this.most, this.now)
    for (let i = 0; i < 20; i++) await turn()
    this.now--
  }
}

async function callAll(server: TestServer, inputs: object[]): Promise<ExecuteAnswer[]> {
  return Promise.all(inputs.map((input) => server.execute({ waitMs: 60_000, ...input })))
}

test('a worker never executes more runs at once than its concurrency, under 300 calls', async () => {
  const meter = new Meter()
  const actions = ['a', 'b', 'c'].map((name) => action(name, { run: () => meter.measure() }))
  const server = await startTestServer(actions, { concurrency: 7 })
  const answers = await callAll(
    server,
    Array.from({ length: 300 }, (_, i) => ({ name: 'abc'.charAt(i % 3), priority: i % 5 })),
  )
  expect(answers.every(({ run }) => run?.status === 'SUCCEEDED')).toBe(true)
  expect(meter.calls).toBe(300)
  expect(meter.most).toBeLessThanOrEqual(7)
  // and makes use of it
  expect(meter.most).toBeGreaterThan(4)
})

test('an action never runs more often at once than its own concurrency, and holds up no other', async () => {
  const [narrow, wide, all] = [new Meter(), new Meter(), new Meter()]
  const measured = (meter: Meter) => () => Promise.all([meter.measure(), all.measure()]).then(() => {})
  const actions = [
    action('narrow', { concurrency: 3, run: measured(narrow) }),
    action('wide', { concurrency: 50, run: measured(wide) }),
  ]
  const server = await startTestServer(actions, { concurrency: 12 })
  const inputs = Array.from({ length: 300 }, (_, i) => ({ name: i % 2 ? 'narrow' : 'wide' }))
  const answers = await callAll(server, inputs)
  expect(answers.every(({ run }) => run?.status === 'SUCCEEDED')).toBe(true)
  expect([narrow.calls, wide.calls]).toEqual([150, 150])
  expect(narrow.most).toBeLessThanOrEqual(3)
  expect(all.most).toBeLessThanOrEqual(12)
  expect(wide.most).toBeGreaterThan(3)
})

test('the concurrency holds over failures, retries and cancels too', async () => {
  const meter = new Meter()
  const flaky = action('flaky', {
    concurrency: 4,
    retry: { maxAttempts: 3, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: true } },
    run: async ({ attempt }) => {
      await meter.measure()
      if (attempt < 3) throw new Error('again')
    },
  })
  const server = await startTestServer([flaky], { concurrency: 10 })
  const answers = await callAll(
    server,
    Array.from({ length: 100 }, () => ({ name: 'flaky' })),
  )
  expect(answers.every(({ run }) => run?.status === 'SUCCEEDED')).toBe(true)
  expect(meter.calls).toBe(300)
  expect(meter.most).toBeLessThanOrEqual(4)
})

/** One run that keeps the only slot busy until it is let go. */
async function busy(queueLimit: number) {
  const free = latch()
  const slow = action('slow', { run: () => free.opened })
  const server = await startTestServer([slow, action('other', { run: () => 1 })], { concurrency: 1, queueLimit })
  await happened(server, await submit(server, { name: 'slow' }), 'STARTED')
  const queued = async () => {
    const [row] = await server.executor.db.reads<{ n: number }[]>`
      select count(*)::int as n from action_do.runs where name = 'slow' and status = 'QUEUED'`
    return row?.n
  }
  return { server, free, queued }
}

test('a call that finds the queue full is refused, and uses up no key', async () => {
  const { server, free, queued } = await busy(3)
  const keyed = (key: string) => ({ name: 'slow', idempotencyKey: key, waitMs: 0 })
  const waiting = await Promise.all(['a', 'b', 'c'].map((key) => server.execute(keyed(key))))
  expect(waiting.map(({ run }) => run?.status)).toEqual(['QUEUED', 'QUEUED', 'QUEUED'])
  const before = await recorded(server)
  expect(await server.execute(keyed('d'))).toMatchObject({
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: '3 runs of slow wait already. Nothing was recorded: try again later with the same key.',
  })
  expect(await recorded(server)).toBe(before)
  expect(await queued()).toBe(3)
  // a replay needs no room, another action has its own, and a run for later does not wait in the queue
  expect(await server.execute(keyed('a'))).toMatchObject({ replayed: true, run: { id: waiting[0]?.run?.id } })
  expect((await server.execute({ name: 'other', waitMs: 0 })).run?.status).toBe('QUEUED')
  const later = await server.execute({ ...keyed('later'), runAt: '2099-01-01T00:00:00Z' })
  expect(later.run?.status).toBe('SCHEDULED')
  // the same key with other params is still a mismatch
  expect((await server.execute({ ...keyed('a'), params: 1 })).code).toBe('IDEMPOTENCY_MISMATCH')

  free.open()
  await Promise.all(waiting.map(({ run }) => settled(server, run?.id ?? '')))
  expect(await server.execute({ ...keyed('d'), waitMs: 20_000 })).toMatchObject({ replayed: false })
})

test('the queue is never longer than its limit, under 200 calls at once', async () => {
  const { server, free, queued } = await busy(10)
  const inputs = Array.from({ length: 200 }, (_, i) => ({ name: 'slow', idempotencyKey: `k${i}`, waitMs: 0 }))
  const answers = await callAll(server, inputs)
  const accepted = answers.filter(({ run }) => run)
  expect(await queued()).toBe(accepted.length)
  expect(accepted).toHaveLength(10)
  expect(answers.filter(({ code }) => code === 'RATE_LIMITED')).toHaveLength(190)
  free.open()
})

test('of twenty calls with one key that find no room to run at once, one is queued', async () => {
  const { server, free, queued } = await busy(100)
  const answers = await callAll(server, Array(20).fill({ name: 'slow', idempotencyKey: 'k', waitMs: 0 }))
  expect(answers.filter(({ replayed }) => replayed === false)).toHaveLength(1)
  expect(answers.filter(({ replayed }) => replayed === true)).toHaveLength(19)
  expect(await queued()).toBe(1)
  free.open()
})

test('of many in one executeActions, as many are queued as there is room for; repeating them all records nothing twice', async () => {
  const { server, free, queued } = await busy(10)
  const inputs = Array.from({ length: 30 }, (_, i) => ({ name: 'slow', idempotencyKey: `k${i}` }))
  const mutation = `mutation($inputs: [ExecuteActionInput!]!) {
    executeActions(inputs: $inputs) { __typename ... on ExecuteActionPayload { replayed } }
  }`
  const executeAll = async () =>
    (await server.query<{ executeActions: { __typename: string; replayed?: boolean }[] }>(mutation, { inputs }))
      .executeActions
  const first = await executeAll()
  expect(first.filter(({ replayed }) => replayed === false)).toHaveLength(10)
  expect(first.filter(({ __typename }) => __typename === 'RateLimitedError')).toHaveLength(20)
  expect(await queued()).toBe(10)
  const again = await executeAll()
  expect(again.map(({ replayed }) => replayed)).toEqual(first.map(({ replayed }) => replayed === false || undefined))
  expect(await queued()).toBe(10)
  free.open()
})
