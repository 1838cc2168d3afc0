import { describe, expect, test } from 'vitest'
import { action, OutcomeUnknownError } from '../../src/index.ts'
import { collect, oneTo, openStreams, seqsOf, TRANSPORTS } from '../support/event-streams.ts'
import { getRun, happened, latch, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

const RETRY = 'mutation($id: ID!) { retryRun(input: { id: $id }) { __typename } }'

describe.each(TRANSPORTS)('over %s', (_, watch) => {
  test('a stream replays what has happened, goes on live, and completes when the run has ended', async () => {
    const go = latch()
    const held = action('held', { run: () => go.opened })
    const server = await startTestServer([held])
    const id = await submit(server, { name: 'held' })
    const stream = watch(server.url, id)
    expect((await stream.next()).value).toMatchObject({ runId: id, seq: 1, from: null, to: 'RUNNING' })
    const live = stream.next()
    go.open()
    expect((await live).value).toMatchObject({ seq: 2, from: 'RUNNING', to: 'SUCCEEDED', reason: 'COMPLETED' })
    expect(await stream.next()).toEqual({ done: true, value: 'completed' })
    await until(() => openStreams(server).length === 0)
  })

  test('a stream begins after its cursor, at every place', async () => {
    const flaky = action('flaky', {
      retry: { maxAttempts: 3, backoff },
      run: () => Promise.reject(new Error('no')),
    })
    const server = await startTestServer([flaky])
    const { run } = await server.execute({ name: 'flaky' })
    const last = run?.lastSeq ?? 0
    expect(last).toBe(8)
    for (let after = 0; after <= last; after++) {
      const { events, ended } = await collect(watch(server.url, run?.id ?? '', after))
      expect(seqsOf(events)).toEqual(oneTo(last).slice(after))
      expect(ended).toBe('completed')
    }
  })

  test('many events come densely, whether they were there before or came in between', async () => {
    const restless = action('restless', {
      retry: { maxAttempts: 40, backoff },
      run: () => Promise.reject(new Error('no')),
    })
    const server = await startTestServer([restless])
    const id = await submit(server, { name: 'restless' })
    const streams = await Promise.all(
      [3, 30, 60].map(async (times, i) => {
        await happened(server, id, 'STARTED', Math.ceil(times / 3))
        return collect(watch(server.url, id, i))
      }),
    )
    const { lastSeq } = await getRun(server, id)
    for (const [after, { events, ended }] of streams.entries()) {
      expect(seqsOf(events)).toEqual(oneTo(lastSeq).slice(after))
      expect(ended).toBe('completed')
    }
  })

  test('a failed run completes at its last event, and streams on once it is retried', async () => {
    let broken = true
    const go = latch()
    const repaired = action('repaired', {
      retry: { maxAttempts: 1 },
      run: async () => {
        if (broken) throw new Error('no')
        await go.opened
      },
    })
    const server = await startTestServer([repaired])
    const { run } = await server.execute({ name: 'repaired' })
    const { id, lastSeq } = run!
    expect(await collect(watch(server.url, id, lastSeq))).toEqual({ events: [], ended: 'completed' })
    broken = false
    await server.query(RETRY, { id })
    const stream = watch(server.url, id, lastSeq)
    expect((await stream.next()).value).toMatchObject({ seq: lastSeq + 1, from: 'FAILED', reason: 'RETRY_REQUESTED' })
    expect((await stream.next()).value).toMatchObject({ seq: lastSeq + 2, reason: 'STARTED' })
    go.open()
    const { events, ended } = await collect(stream)
    expect(events).toMatchObject([{ seq: lastSeq + 3, to: 'SUCCEEDED' }])
    expect(ended).toBe('completed')
  })

  test('INDETERMINATE does not complete a stream: it goes on when an operator has decided', async () => {
    const lost = action('lost', {
      effect: 'unsafe',
      run: ({ attempt }) => {
        if (attempt === 1) throw new OutcomeUnknownError('no answer')
      },
    })
    const server = await startTestServer([lost])
    const { run } = await server.execute({ name: 'lost' })
    expect(run?.status).toBe('INDETERMINATE')
    const stream = watch(server.url, run!.id, 1)
    expect((await stream.next()).value).toMatchObject({ seq: 2, to: 'INDETERMINATE' })
    const next = stream.next()
    await server.query(RETRY, { id: run!.id })
    expect((await next).value).toMatchObject({ seq: 3, from: 'INDETERMINATE', reason: 'RETRY_REQUESTED' })
    const { events, ended } = await collect(stream)
    expect(seqsOf(events)).toEqual([4, 5])
    expect(ended).toBe('completed')
  })

  test('a client that leaves while nothing happens is let go', async () => {
    const held = action('held', { run: () => new Promise(() => {}) })
    const server = await startTestServer([held], { shutdownTimeoutMs: 0 })
    const id = await submit(server, { name: 'held' })
    const streams = [1, 2, 3].map(() => watch(server.url, id))
    for (const stream of streams) await stream.next()
    expect(openStreams(server)).toHaveLength(3)
    await Promise.all(streams.map((stream) => stream.return('broken')))
    await until(() => openStreams(server).length === 0)
    expect(server.executor.hub.watching).toBe(false)
  })
})
