import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { getRun, happened, type Latch, latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

const leaseMs = 600_000

test('a run with runAt waits for its moment and then runs', async () => {
  const later = action('later', { run: () => 'done' })
  const server = await startTestServer([later], { leaseMs })
  const runAt = new Date(Date.now() + 60_000).toISOString()
  const id = await submit(server, { name: 'later', runAt })
  expect(await getRun(server, id)).toMatchObject({
    status: 'SCHEDULED',
    attempts: [],
    events: [{ from: null, to: 'SCHEDULED', reason: 'DELAYED', attempt: null }],
  })
  server.advance(59_000)
  // what is submitted now has run, and still nothing happened to the other
  await settled(server, await submit(server, { name: 'later' }))
  expect((await getRun(server, id)).status).toBe('SCHEDULED')
  server.advance(2_000)
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  expect(run.events.map(({ to, reason }) => [to, reason])).toEqual([
    ['SCHEDULED', 'DELAYED'],
    ['QUEUED', 'DUE'],
    ['RUNNING', 'STARTED'],
    ['SUCCEEDED', 'COMPLETED'],
  ])
})

test('a runAt that has just passed is no delay', async () => {
  const now = action('now', { run: () => 'done' })
  const server = await startTestServer([now])
  const { run } = await server.execute({ name: 'now', runAt: new Date(Date.now() - 1_000).toISOString() })
  expect(run).toMatchObject({ status: 'SUCCEEDED', events: [{ reason: 'STARTED' }, {}] })
})

test('what waits runs by its priority, over all actions', async () => {
  const order: number[] = []
  const go = latch()
  const hold = action('hold', { run: () => go.opened })
  const note = (name: string) => action(name, { params: z.number(), run: ({ params }) => void order.push(params) })
  const server = await startTestServer([hold, note('a'), note('b')], { concurrency: 1 })
  await submit(server, { name: 'hold' })
  const priorities = [0, -5, 7, 1_000, -1_000, 3]
  const ids: string[] = []
  for (const [i, priority] of priorities.entries())
    ids.push(await submit(server, { name: i % 2 ? 'a' : 'b', params: priority, priority }))
  expect((await getRun(server, ids[0] ?? '')).status).toBe('QUEUED')
  go.open()
  for (const id of ids) await settled(server, id)
  expect(order).toEqual([1_000, 7, 3, 0, -5, -1_000])
})

test('of equal priority, what has waited longest runs first', async () => {
  const order: number[] = []
  const go = latch()
  const hold = action('hold', { run: () => go.opened })
  const note = action('note', { params: z.number(), run: ({ params }) => void order.push(params) })
  const server = await startTestServer([hold, note], { concurrency: 1, leaseMs })
  await submit(server, { name: 'hold' })
  const ids: string[] = []
  for (let n = 1; n <= 5; n++) {
    ids.push(await submit(server, { name: 'note', params: n }))
    server.advance(10)
  }
  go.open()
  for (const id of ids) await settled(server, id)
  expect(order).toEqual([1, 2, 3, 4, 5])
})

test("an action's own concurrency holds it back, and nobody else", async () => {
  const started: Latch[] = Array.from({ length: 6 }, () => latch())
  const go: Latch[] = Array.from({ length: 6 }, () => latch())
  let now = 0
  let most = 0
  let calls = 0
  const narrow = action('narrow', {
    concurrency: 2,
    run: async () => {
      const call = calls++
      most = Math.max(most, ++now)
      started[call]?.open()
      await go[call]?.opened
      now--
    },
  })
  const wide = action('wide', { run: () => 'through' })
  const server = await startTestServer([narrow, wide])
  const ids = await Promise.all(started.map(() => submit(server, { name: 'narrow' })))
  await Promise.all([started[0]?.opened, started[1]?.opened])
  expect((await server.execute({ name: 'wide' })).run?.status).toBe('SUCCEEDED')
  const statuses = await Promise.all(ids.map(async (id) => (await getRun(server, id)).status))
  expect(statuses.filter((status) => status === 'RUNNING')).toHaveLength(2)
  for (const [n, { open }] of go.entries()) {
    open()
    await started[Math.min(n + 2, 5)]?.opened
  }
  for (const id of ids) expect((await settled(server, id)).status).toBe('SUCCEEDED')
  expect(most).toBe(2)
})

test('two nodes make a due run one event and one attempt', async () => {
  let calls = 0
  const once = action('once', { run: () => ++calls })
  const one = await startTestServer([once], { leaseMs })
  const two = await startTestServer([once], { leaseMs, databaseUrl: one.databaseUrl })
  const runAt = new Date(Date.now() + 60_000).toISOString()
  const ids = await Promise.all(Array.from({ length: 20 }, () => submit(one, { name: 'once', runAt })))
  for (const server of [one, two]) server.advance(60_000)
  for (const id of ids) {
    await happened(two, id, 'DUE')
    const run = await settled(one, id)
    expect(run.events.map(({ reason }) => reason)).toEqual(['DELAYED', 'DUE', 'STARTED', 'COMPLETED'])
  }
  expect(calls).toBe(20)
})
