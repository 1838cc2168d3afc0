import { expect, test } from 'vitest'
import { action, NonRetryableError, RetryAfterError } from '../../src/index.ts'
import { getRun, happened, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/** Longer than any time that these tests let pass. */
const leaseMs = 600_000

/** Waits 1 s, then 2 s, then 4 s. */
const backoff = { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: false }

test('a failed attempt is scheduled, becomes due, and runs again until one succeeds', async () => {
  const flaky = action('flaky', {
    retry: { backoff },
    run: ({ attempt }) => {
      if (attempt < 3) throw new Error(`attempt ${attempt} broke`)
      return { attempt }
    },
  })
  const server = await startTestServer([flaky], { leaseMs })
  const id = await submit(server, { name: 'flaky' })

  const first = await happened(server, id, 'RETRY_SCHEDULED')
  expect(await getRun(server, id)).toMatchObject({ status: 'SCHEDULED', error: null })
  expect(availableAt(first.data) - first.at.getTime()).toBe(1_000)
  server.advance(1_000)
  const second = await happened(server, id, 'RETRY_SCHEDULED', 2)
  expect(availableAt(second.data) - second.at.getTime()).toBe(2_000)
  server.advance(2_000)

  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { attempt: 3 }, error: null })
  expect(run.attempts).toMatchObject([
    { number: 1, status: 'FAILED', error: { message: 'attempt 1 broke' } },
    { number: 2, status: 'FAILED', error: { message: 'attempt 2 broke' } },
    { number: 3, status: 'SUCCEEDED', error: null },
  ])
  expect(run.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(run.events.map(({ from, to, reason, attempt }) => [from, to, reason, attempt])).toEqual([
    [null, 'RUNNING', 'STARTED', 1],
    ['RUNNING', 'SCHEDULED', 'RETRY_SCHEDULED', 1],
    ['SCHEDULED', 'QUEUED', 'DUE', null],
    ['QUEUED', 'RUNNING', 'STARTED', 2],
    ['RUNNING', 'SCHEDULED', 'RETRY_SCHEDULED', 2],
    ['SCHEDULED', 'QUEUED', 'DUE', null],
    ['QUEUED', 'RUNNING', 'STARTED', 3],
    ['RUNNING', 'SUCCEEDED', 'COMPLETED', 3],
  ])
})

test('a run does not become due before its backoff is over', async () => {
  const flaky = action('flaky', { retry: { backoff }, run: () => Promise.reject(new Error('no')) })
  const server = await startTestServer([flaky], { leaseMs })
  const id = await submit(server, { name: 'flaky' })
  await happened(server, id, 'RETRY_SCHEDULED')
  const other = await submit(server, { name: 'flaky', runAt: new Date(Date.now() + 300).toISOString() })
  // what became due later has run, and the backoff of a second still holds
  await happened(server, other, 'RETRY_SCHEDULED')
  expect((await getRun(server, id)).status).toBe('SCHEDULED')
})

test('after maxAttempts the run fails with the error of its last attempt', async () => {
  const broken = action('broken', {
    retry: { maxAttempts: 3, backoff: { ...backoff, initialMs: 0 } },
    run: ({ attempt }) => Promise.reject(new Error(`attempt ${attempt} broke`)),
  })
  const server = await startTestServer([broken])
  const { run } = await server.execute({ name: 'broken' })
  expect(run).toMatchObject({ status: 'FAILED', error: { message: 'attempt 3 broke', retryable: true } })
  expect(run?.attempts).toHaveLength(3)
  expect(run?.events.at(-1)).toMatchObject({ reason: 'RETRIES_EXHAUSTED', attempt: 3 })
})

test('no attempt begins after the deadline that runs from the first one', async () => {
  const slow = action('slow', {
    retry: { maxAttempts: 100, deadlineMs: 10_000, backoff: { ...backoff, initialMs: 6_000, factor: 1 } },
    run: () => Promise.reject(new Error('no')),
  })
  const server = await startTestServer([slow], { leaseMs })
  const id = await submit(server, { name: 'slow' })
  await happened(server, id, 'RETRY_SCHEDULED')
  server.advance(6_000)
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'FAILED', error: { message: 'no' } })
  expect(run.attempts).toHaveLength(2)
  expect(run.events.at(-1)).toMatchObject({ reason: 'DEADLINE_EXCEEDED' })
})

test('a NonRetryableError fails the run at once, with its code and details', async () => {
  const declined = action('declined', {
    run: () => {
      throw new NonRetryableError('the card was declined', { code: 'CARD_DECLINED', details: { last4: '0002' } })
    },
  })
  const server = await startTestServer([declined])
  const { run } = await server.execute({ name: 'declined' })
  expect(run).toMatchObject({
    status: 'FAILED',
    error: { code: 'CARD_DECLINED', message: 'the card was declined', retryable: false, details: { last4: '0002' } },
    attempts: [{ number: 1, status: 'FAILED' }],
  })
  expect(run?.events.at(-1)).toMatchObject({ reason: 'PERMANENT_FAILURE' })
})

test('a RetryAfterError sets the time of the next attempt, whatever the backoff says', async () => {
  const busy = action('busy', {
    retry: { backoff },
    run: ({ attempt }) => {
      if (attempt === 1) throw new RetryAfterError('come back later', 45_000, { details: { status: 429 } })
      return 'done'
    },
  })
  const server = await startTestServer([busy], { leaseMs })
  const id = await submit(server, { name: 'busy' })
  const { at, data, error } = await happened(server, id, 'RETRY_SCHEDULED')
  expect(availableAt(data) - at.getTime()).toBe(45_000)
  expect(error).toMatchObject({ code: 'RETRY_AFTER', details: { status: 429 } })
  server.advance(45_000)
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
})

test('a RetryAfterError counts against maxAttempts', async () => {
  const busy = action('busy', {
    retry: { maxAttempts: 2 },
    run: () => Promise.reject(new RetryAfterError('come back later', 0)),
  })
  const server = await startTestServer([busy])
  const { run } = await server.execute({ name: 'busy' })
  expect(run?.attempts).toHaveLength(2)
  expect(run?.events.at(-1)).toMatchObject({ to: 'FAILED', reason: 'RETRIES_EXHAUSTED' })
})

test('an operator who retries a failed run gives it a fresh budget, and its history stays', async () => {
  let broken = true
  const repaired = action('repaired', {
    retry: { maxAttempts: 2, backoff: { ...backoff, initialMs: 0 } },
    run: ({ attempt }) => {
      if (broken || attempt === 3) throw new Error('not yet')
      return attempt
    },
  })
  const server = await startTestServer([repaired])
  const { run: failed } = await server.execute({ name: 'repaired' })
  expect(failed?.events.at(-1)).toMatchObject({ reason: 'RETRIES_EXHAUSTED' })
  broken = false
  await server.query('mutation($id: ID!) { retryRun(input: { id: $id }) { __typename } }', { id: failed?.id })
  const run = await settled(server, failed?.id ?? '')
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 4, error: null })
  expect(run.attempts.map(({ number, status }) => [number, status])).toEqual([
    [1, 'FAILED'],
    [2, 'FAILED'],
    [3, 'FAILED'],
    [4, 'SUCCEEDED'],
  ])
  expect(run.events.map(({ seq }) => seq)).toEqual(run.events.map((_, i) => i + 1))
})

function availableAt(data: unknown): number {
  return Date.parse((data as { availableAt: string }).availableAt)
}
