import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { aborted, latch } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

test('an attempt that takes longer than timeoutMs has its signal aborted, counts, and is repeated', async () => {
  const reasons: unknown[] = []
  const slow = action('slow', {
    timeoutMs: 50,
    retry: { maxAttempts: 2, backoff },
    run: async ({ signal }) => {
      reasons.push(await aborted(signal))
      return 'too late'
    },
  })
  const server = await startTestServer([slow])
  const { run } = await server.execute({ name: 'slow' })
  expect(run).toMatchObject({ status: 'FAILED', result: null, error: { code: 'ATTEMPT_TIMED_OUT', retryable: true } })
  expect(run?.attempts).toMatchObject([
    { number: 1, status: 'TIMED_OUT', error: { code: 'ATTEMPT_TIMED_OUT' } },
    { number: 2, status: 'TIMED_OUT', error: { message: 'The attempt took longer than 50 ms' } },
  ])
  expect(run?.events.map(({ reason }) => reason)).toEqual([
    'STARTED',
    'RETRY_SCHEDULED',
    'DUE',
    'STARTED',
    'RETRIES_EXHAUSTED',
  ])
  expect(reasons).toMatchObject([{ code: 'ATTEMPT_TIMED_OUT' }, { code: 'ATTEMPT_TIMED_OUT' }])
})

test('a handler that heeds no signal is left behind, and what it returns later changes nothing', async () => {
  const first = latch<string>()
  const stubborn = action('stubborn', {
    timeoutMs: 50,
    retry: { backoff },
    run: async ({ attempt }) => (attempt === 1 ? first.opened : 'second'),
  })
  const server = await startTestServer([stubborn])
  const { run } = await server.execute({ name: 'stubborn', idempotencyKey: 'one' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'second' })
  first.open('first, too late')
  await first.opened
  const again = await server.execute({ name: 'stubborn', idempotencyKey: 'one' })
  expect(again).toMatchObject({ replayed: true, run: { result: 'second', lastSeq: run?.lastSeq } })
})

test('the slot of a handler that was left behind is free again', async () => {
  const stubborn = action('stubborn', { timeoutMs: 50, retry: { maxAttempts: 1 }, run: () => new Promise(() => {}) })
  const quick = action('quick', { run: () => 'done' })
  const server = await startTestServer([stubborn, quick], { concurrency: 1 })
  const { run } = await server.execute({ name: 'stubborn' })
  expect(run?.status).toBe('FAILED')
  expect((await server.execute({ name: 'quick' })).run?.status).toBe('SUCCEEDED')
})

test('an attempt that fails just before its timeout is recorded with its own error', async () => {
  const quick = action('quick', {
    timeoutMs: 60_000,
    retry: { maxAttempts: 1 },
    run: () => Promise.reject(new Error('its own')),
  })
  const server = await startTestServer([quick])
  const { run } = await server.execute({ name: 'quick' })
  expect(run?.attempts).toMatchObject([{ status: 'FAILED', error: { message: 'its own' } }])
})
