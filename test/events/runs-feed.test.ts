import { describe, expect, test } from 'vitest'
import { RECENT_MS } from '../../src/db/recent-changes.ts'
import { action, NonRetryableError } from '../../src/index.ts'
import { openSse } from '../support/event-streams.ts'
import { latch, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { webSocketClient } from '../support/subscriptions.ts'
import { until } from '../support/until.ts'

interface Seen {
  id: string
  name: string
  status: string
}

const good = action('good', { run: () => 'done' })
const bad = action('bad', {
  run: () => {
    throw new NonRetryableError('no')
  },
})

/** Subscribes to runs; resolves once the server listens. */
async function watchRuns(server: TestServer, filter?: object) {
  const client = webSocketClient(server.url)
  const seen: Seen[] = []
  const listeners = Reflect.get(server.executor.feed, 'listeners') as Set<unknown>
  const before = listeners.size
  const unsubscribe = client.subscribe<{ runs: Seen }>(
    { query: 'subscription($filter: RunFilter) { runs(filter: $filter) { id name status } }', variables: { filter } },
    { next: ({ data }) => data && seen.push(data.runs), error: () => {}, complete: () => {} },
  )
  await until(() => listeners.size === before + 1)
  return { seen, unsubscribe, listeners, sees: (id: string, status: string) => until(() => has(seen, id, status)) }
}

const has = (seen: readonly Seen[], id: string, status: string) =>
  seen.some((run) => run.id === id && run.status === status)

describe.each(['on', 'off'] as const)('with notifications %s', (notify) => {
  test('the runs of all nodes are told of as they change', async () => {
    const go = latch()
    const held = action('held', { run: () => go.opened })
    const one = await startTestServer([held], { notify })
    const two = await startTestServer([held], { notify, databaseUrl: one.databaseUrl })
    const { seen, sees } = await watchRuns(one)
    for (const server of [one, two]) {
      const id = await submit(server, { name: 'held' })
      await sees(id, 'RUNNING')
    }
    go.open()
    for (const { id } of [...seen]) await sees(id, 'SUCCEEDED')
  })
})

test('a filter lets through only what it names', async () => {
  const server = await startTestServer([good, bad])
  const all = await watchRuns(server)
  const failed = await watchRuns(server, { status: ['FAILED'] })
  const named = await watchRuns(server, { name: 'good' })
  const goodId = await submit(server, { name: 'good' })
  const badId = await submit(server, { name: 'bad' })
  await all.sees(goodId, 'SUCCEEDED')
  await all.sees(badId, 'FAILED')
  await failed.sees(badId, 'FAILED')
  await named.sees(goodId, 'SUCCEEDED')
  expect(failed.seen).toEqual([{ id: badId, name: 'bad', status: 'FAILED' }])
  expect(new Set(named.seen.map(({ id }) => id))).toEqual(new Set([goodId]))
})

test('what changed before is no news', async () => {
  const server = await startTestServer([good], { notify: 'off' })
  const { run: earlier } = await server.execute({ name: 'good' })
  const { seen, sees } = await watchRuns(server)
  await server.executor.feed.poll()
  const { run } = await server.execute({ name: 'good' })
  await sees(run!.id, 'SUCCEEDED')
  await server.executor.feed.poll()
  expect(seen.filter(({ id }) => id === earlier!.id)).toEqual([])
})

test('no state is told of twice', async () => {
  const server = await startTestServer([good])
  const { seen, sees } = await watchRuns(server)
  const id = await submit(server, { name: 'good' })
  await settled(server, id)
  await sees(id, 'SUCCEEDED')
  for (let n = 0; n < 5; n++) await server.executor.feed.poll()
  const { run: last } = await server.execute({ name: 'good' })
  await sees(last!.id, 'SUCCEEDED')
  const told = seen.map((run) => `${run.id} ${run.status}`)
  expect(told).toEqual([...new Set(told)])
})

test('whoever leaves is forgotten, also while nothing happens', async () => {
  const server = await startTestServer([good])
  const first = await watchRuns(server)
  const second = await watchRuns(server, { status: ['CANCELED'] })
  first.unsubscribe()
  second.unsubscribe()
  await until(() => first.listeners.size === 0)
})

test('who cannot be told any more what has changed in between is told that, and may subscribe anew', async () => {
  const server = await startTestServer([good], { notify: 'off' })
  const { feed, db } = server.executor
  const errors: unknown[] = []
  const query = 'subscription { runs { id } }'
  const error = (given: unknown) => errors.push(given)
  webSocketClient(server.url).subscribe({ query }, { next: () => {}, error, complete: () => {} })
  const sse = await openSse(server.url, { query }, new AbortController().signal)
  const listeners = Reflect.get(feed, 'listeners') as Set<unknown>
  await until(() => listeners.size === 2)

  db.clock.offsetMs += RECENT_MS
  await feed.poll()
  await until(() => errors.length === 1)
  const expected = { message: expect.stringContaining('subscribe anew'), extensions: { code: 'SERVICE_UNAVAILABLE' } }
  expect(errors).toMatchObject([[expected]])
  expect(await sse.text()).toMatch(/subscribe anew.*SERVICE_UNAVAILABLE[\s\S]*event: complete/)
  expect(listeners.size).toBe(0)

  const again = await watchRuns(server)
  const id = await submit(server, { name: 'good' })
  await again.sees(id, 'SUCCEEDED')
})
