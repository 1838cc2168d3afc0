import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { AT_ONCE } from '../support/control.ts'
import { aborted, latch, settled } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

function slow() {
  const free = latch()
  return { free, definition: action('slow', { run: () => free.opened.then(() => 'done') }) }
}

test('waitMs 0 answers as soon as the run is recorded', async () => {
  const { free, definition } = slow()
  const server = await startTestServer([definition])
  const { run, replayed } = await server.execute({ name: 'slow', waitMs: 0 })
  expect(replayed).toBe(false)
  expect(run).toMatchObject({ status: 'RUNNING', result: null, attempts: [{ number: 1, status: 'RUNNING' }] })
  free.open()
  expect((await settled(server, run?.id ?? '')).result).toBe('done')
})

test('a wait that runs out answers with the run as it stands, which is no error', async () => {
  const { free, definition } = slow()
  const server = await startTestServer([definition])
  const began = performance.now()
  const { run } = await server.execute({ name: 'slow', waitMs: 120 })
  expect(performance.now() - began).toBeGreaterThanOrEqual(119)
  expect(run).toMatchObject({ status: 'RUNNING', result: null, error: null })
  free.open()
  expect((await settled(server, run?.id ?? '')).status).toBe('SUCCEEDED')
})

test('a wait ends with the run, whatever came of it', async () => {
  const broken = action('broken', {
    retry: { maxAttempts: 2, backoff: AT_ONCE },
    run: () => {
      throw new Error('no')
    },
  })
  const server = await startTestServer([broken])
  const { __typename, run } = await server.execute({ name: 'broken', waitMs: 20_000 })
  expect(__typename).toBe('ExecuteActionPayload')
  expect(run).toMatchObject({ status: 'FAILED', attempts: [{ number: 1 }, { number: 2 }] })
})

test('executeActions waits for none of its calls, whatever they ask for', async () => {
  const { free, definition } = slow()
  const server = await startTestServer([definition])
  const answer = await server.query(
    `mutation { executeActions(inputs: [{ name: "slow", waitMs: 300000 }, { name: "slow" }]) {
      ... on ExecuteActionPayload { replayed run { status } } } }`,
  )
  const running = { replayed: false, run: { status: expect.stringMatching(/^(RUNNING|QUEUED)$/) } }
  expect(answer).toEqual({ executeActions: [running, running] })
  free.open()
})

test('a second call with the key attaches to the run in flight, with its own patience', async () => {
  const { free, definition } = slow()
  const server = await startTestServer([definition])
  const patient = server.execute({ name: 'slow', idempotencyKey: 'k', waitMs: 20_000 })
  const hasty = await server.execute({ name: 'slow', idempotencyKey: 'k', waitMs: 1 })
  expect(hasty.run?.status).toBe('RUNNING')
  const other = server.execute({ name: 'slow', idempotencyKey: 'k', waitMs: 20_000 })
  free.open()
  const answers = await Promise.all([patient, other])
  expect(answers.map(({ run }) => run?.result)).toEqual(['done', 'done'])
  expect([...answers, hasty].filter(({ replayed }) => !replayed)).toHaveLength(1)
})

test('a run for later is answered at once, and a caller that waits has it when it has run', async () => {
  const server = await startTestServer([action('good', { run: () => 'done' })])
  const runAt = new Date(Date.now() + 3_600_000).toISOString()
  const input = { name: 'good', idempotencyKey: 'k', runAt }
  const { run } = await server.execute({ ...input, waitMs: 0 })
  expect(run).toMatchObject({ status: 'SCHEDULED', attempts: [] })
  const waiting = server.execute({ ...input, waitMs: 20_000 })
  server.advance(3_600_001)
  expect((await waiting).run).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
})

test('a server that stops answers its waiting callers with the run as it stands', async () => {
  const server = await startTestServer(
    [action('endless', { run: ({ signal }) => aborted(signal).then(() => new Promise(() => {})) })],
    { shutdownTimeoutMs: 200 },
  )
  const started = server.execute({ name: 'endless', waitMs: 20_000 })
  await server.execute({ name: 'endless', waitMs: 0 })
  const stopping = server.stop()
  const { run } = await started
  expect(run?.id).toMatch(/^run_/)
  expect(['RUNNING', 'QUEUED']).toContain(run?.status)
  await stopping
})
