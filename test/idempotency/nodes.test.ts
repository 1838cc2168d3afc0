import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { collect, type SeenEvent, watchSse, watchWebSocket } from '../support/event-streams.ts'
import { happened, latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

test('34: an event delivered twice carries the same (run, seq), and is the same, on every node and transport', async () => {
  const goOn = latch()
  const flaky = action('flaky', {
    retry: { backoff: { initialMs: 0, factor: 1, maxMs: 0, jitter: false } },
    run: async ({ attempt }) => {
      if (attempt < 3) throw new Error(`attempt ${attempt}`)
      await goOn.opened
    },
  })
  const databaseUrl = await testDatabase()
  const [one, two] = [await startTestServer([flaky], { databaseUrl }), await startTestServer([flaky], { databaseUrl })]
  const id = await submit(one, { name: 'flaky' })
  await happened(one, id, 'STARTED', 3)

  // a consumer that dies before it has noted how far it came asks again for what it was given
  const first = watchSse(one.url, id)
  const delivered: SeenEvent[] = []
  while (delivered.length < 5) {
    const { value, done } = await first.next()
    if (done) throw new Error('the stream ended early')
    delivered.push(value)
  }
  await first.return('broken')
  const streams = [
    watchSse(two.url, id),
    watchWebSocket(one.url, id),
    watchSse(one.url, id, 2),
    watchSse(two.url, id, 4),
  ]
  const collecting = streams.map(collect)
  goOn.open()
  const again = (await Promise.all(collecting)).map(({ events }) => events)

  const known = new Map((again[0] ?? []).map((event) => [`${event.runId} ${event.seq}`, event]))
  expect([...known.values()].map(({ runId, seq }) => [runId, seq])).toEqual(Array.from(known, (_, i) => [id, i + 1]))
  expect(known.size).toBe(8)
  // each of them is in there as it was before, and none was left out
  const redelivered = [...delivered, ...again.flat()]
  for (const event of redelivered) expect(event).toEqual(known.get(`${event.runId} ${event.seq}`))
  expect(again.map((events) => events.length)).toEqual([8, 8, 6, 4])
})

test('36: two versions of an action on one database: a duplicate is caught on whichever node it arrives', async () => {
  const done: string[] = []
  const older = action('greet', {
    version: '1',
    params: z.object({ name: z.string() }),
    run: ({ idempotencyKey }) => ({ by: '1', n: done.push(idempotencyKey) }),
  })
  const newer = action('greet', {
    version: '2',
    // more params, with defaults, and another result
    params: z.object({ name: z.string().min(1), tone: z.string().default('warm') }),
    result: z.object({ greeting: z.string() }),
    run: ({ params, idempotencyKey }) => ({ greeting: `${params.tone} ${done.push(idempotencyKey)}` }),
  })
  const databaseUrl = await testDatabase()
  const nodes = [await startTestServer([older], { databaseUrl }), await startTestServer([newer], { databaseUrl })]
  for (let round = 0; round < 30; round++) {
    const input = { name: 'greet', params: { name: 'Ada' }, idempotencyKey: `round ${round}` }
    const answers = await Promise.all(nodes.map((node) => node.execute(input)))
    expect(answers.map(({ replayed }) => replayed).sort(), `round ${round}`).toEqual([false, true])
    expect(answers[0]?.run).toEqual(answers[1]?.run)
    expect(answers[0]?.run?.status).toBe('SUCCEEDED')
    expect(done).toHaveLength(round + 1)
    expect(done.at(-1)).toBe(answers[0]?.run?.id)
    const others = { ...input, params: { name: 'Ada', tone: 'warm' } }
    for (const node of nodes) expect(await node.execute(others)).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  }
  expect(done).toHaveLength(30)
})

test('36: a run that an older version was given is finished by a newer one, with the same downstream key', async () => {
  const keys: string[] = []
  const began = latch()
  const older = action('greet', {
    version: '1',
    run: async ({ idempotencyKey, signal }) => {
      keys.push(idempotencyKey)
      began.open()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  })
  const newer = action('greet', {
    version: '2',
    run: ({ idempotencyKey, attempt }) => `version 2, attempt ${attempt}, call ${keys.push(idempotencyKey)}`,
  })
  const databaseUrl = await testDatabase()
  const old = await startTestServer([older], { databaseUrl, shutdownTimeoutMs: 0 })
  const id = await submit(old, { name: 'greet', idempotencyKey: 'hello' })
  await began.opened
  // the node with the newer version takes over while the older one goes
  const server = await startTestServer([newer], { databaseUrl })
  await old.stop()
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'version 2, attempt 2, call 2' })
  expect(keys).toEqual([id, id])
  expect(await server.execute({ name: 'greet', idempotencyKey: 'hello' })).toMatchObject({ replayed: true })
  expect(keys).toHaveLength(2)
})
