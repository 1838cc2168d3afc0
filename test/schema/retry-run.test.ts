import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError } from '../../src/index.ts'
import { AT_ONCE, cancel, retry } from '../support/control.ts'
import { recorded } from '../support/refusals.ts'
import { getRun, latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/** Fails until it is mended, and notes the keys that it passes on. */
function service(options: { broken: boolean; unsafe?: boolean }) {
  const state = { broken: options.broken, keys: [] as string[] }
  const definition = action('call', {
    params: z.object({ to: z.string().default('a') }),
    effect: options.unsafe ? 'unsafe' : 'idempotent',
    retry: { maxAttempts: 2, backoff: AT_ONCE },
    run: ({ params, idempotencyKey }) => {
      state.keys.push(idempotencyKey)
      if (state.broken) throw options.unsafe ? new OutcomeUnknownError('no answer') : new Error('broken')
      return { called: params.to }
    },
  })
  return { definition, state }
}

test('a FAILED run runs again: attempt numbers go on, the budget is fresh, the downstream key stays', async () => {
  const { definition, state } = service({ broken: true })
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'call', idempotencyKey: 'k' })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'ACTION_FAILED' } })
  expect(run?.attempts.map(({ number }) => number)).toEqual([1, 2])

  expect(await retry(server, { id: run?.id, reason: 'once more' })).toMatchObject({
    replayed: false,
    run: { id: run?.id },
  })
  const again = await settled(server, run?.id ?? '')
  expect(again.status).toBe('FAILED')
  expect(again.attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4])

  state.broken = false
  await retry(server, { id: run?.id })
  const mended = await settled(server, run?.id ?? '')
  expect(mended).toMatchObject({ status: 'SUCCEEDED', result: { called: 'a' }, error: null })
  expect(mended.attempts.map(({ number, status }) => `${number} ${status}`)).toEqual([
    '1 FAILED',
    '2 FAILED',
    '3 FAILED',
    '4 FAILED',
    '5 SUCCEEDED',
  ])
  const asked = mended.events.filter(({ reason }) => reason === 'RETRY_REQUESTED')
  expect(asked).toMatchObject([
    { from: 'FAILED', to: 'QUEUED', actor: 'DO_API_KEY', data: { reason: 'once more' } },
    { from: 'FAILED', to: 'QUEUED', actor: 'DO_API_KEY', data: null },
  ])
  expect(mended.events.map(({ seq }) => seq)).toEqual(mended.events.map((_, i) => i + 1))
  expect(new Set(state.keys).size).toBe(1)
  // the caller's key names the run as it now stands
  expect(await server.execute({ name: 'call', idempotencyKey: 'k' })).toMatchObject({
    replayed: true,
    run: { id: run?.id, status: 'SUCCEEDED' },
  })
})

test('a CANCELED run runs again', async () => {
  const { definition } = service({ broken: false })
  const server = await startTestServer([definition])
  const id = await submit(server, { name: 'call', runAt: '2099-01-01T00:00:00Z' })
  await cancel(server, { id })
  expect(await retry(server, { id })).toMatchObject({ __typename: 'RetryRunPayload', replayed: false })
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', error: null, attempts: [{ number: 1 }] })
})

test('an INDETERMINATE run runs again when an operator says so', async () => {
  const { definition, state } = service({ broken: true, unsafe: true })
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'call' })
  expect(run).toMatchObject({ status: 'INDETERMINATE', attempts: [{ number: 1 }] })
  state.broken = false
  await retry(server, { id: run?.id })
  const again = await settled(server, run?.id ?? '')
  expect(again).toMatchObject({ status: 'SUCCEEDED', attempts: [{ number: 1 }, { number: 2, status: 'SUCCEEDED' }] })
  expect(state.keys[0]).toBe(state.keys[1])
})

test('amended params are checked, recorded with those before, and get a new downstream key', async () => {
  const { definition, state } = service({ broken: true })
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'call', params: { to: 'b' }, idempotencyKey: 'k' })
  const id = run?.id ?? ''
  const before = await recorded(server)
  expect(await retry(server, { id, params: { to: 5 } })).toMatchObject({
    __typename: 'InvalidParamsError',
    issues: [{ path: 'to' }],
  })
  expect(await retry(server, { id, params: { to: '\u0000' } })).toMatchObject({ code: 'INVALID_PARAMS' })
  expect(await recorded(server)).toBe(before)

  state.broken = false
  await retry(server, { id, params: { to: 'c' }, reason: 'a typo' })
  const mended = await settled(server, id)
  expect(mended).toMatchObject({ status: 'SUCCEEDED', result: { called: 'c' } })
  expect(mended.events.find(({ reason }) => reason === 'RETRY_REQUESTED')?.data).toEqual({
    reason: 'a typo',
    paramsBefore: { to: 'b' },
    paramsAfter: { to: 'c' },
  })
  expect(state.keys).toEqual([id, id, `${id}-2`])
  // the caller's key still names what the caller asked for
  expect(await server.execute({ name: 'call', params: { to: 'b' }, idempotencyKey: 'k' })).toMatchObject({
    replayed: true,
    run: { status: 'SUCCEEDED' },
  })
  expect((await server.execute({ name: 'call', params: { to: 'c' }, idempotencyKey: 'k' })).code).toBe(
    'IDEMPOTENCY_MISMATCH',
  )
})

test('newKey passes a new key on, each time another', async () => {
  const { definition, state } = service({ broken: true })
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'call' })
  const id = run?.id ?? ''
  for (const newKey of [true, false, true]) {
    await retry(server, { id, newKey })
    await settled(server, id)
  }
  expect(state.keys).toEqual([id, id, `${id}-2`, `${id}-2`, `${id}-2`, `${id}-2`, `${id}-3`, `${id}-3`])
  const asked = (await getRun(server, id)).events.filter(({ reason }) => reason === 'RETRY_REQUESTED')
  expect(asked.map(({ data }) => data)).toEqual([{ newKey: true }, null, { newKey: true }])
})

test('params amended to null are null, and not those before', async () => {
  const given: unknown[] = []
  const free = action('free', {
    run: ({ params }) => {
      given.push(params)
      throw new NonRetryableError('no')
    },
  })
  const server = await startTestServer([free])
  const { run } = await server.execute({ name: 'free', params: { a: 1 } })
  await retry(server, { id: run?.id, params: null })
  await settled(server, run?.id ?? '')
  expect(given).toEqual([{ a: 1 }, null])
})

test('a single action has no steps', async () => {
  const { definition } = service({ broken: true })
  const server = await startTestServer([definition])
  const { run } = await server.execute({ name: 'call' })
  expect(await retry(server, { id: run?.id, step: 'payment' })).toMatchObject({
    __typename: 'StepNotFoundError',
    code: 'STEP_NOT_FOUND',
    message: expect.stringContaining('"payment"'),
  })
  expect((await getRun(server, run?.id ?? '')).lastSeq).toBe(run?.lastSeq)
})

test('a run that has succeeded, or has not ended, is not run again', async () => {
  const free = latch()
  const waiting = action('waiting', { run: () => free.opened })
  const { definition } = service({ broken: false })
  const server = await startTestServer([definition, waiting], { concurrency: 1 })
  const succeeded = (await server.execute({ name: 'call' })).run?.id
  const running = await submit(server, { name: 'waiting' })
  const queued = await submit(server, { name: 'waiting' })
  const scheduled = await submit(server, { name: 'waiting', runAt: '2099-01-01T00:00:00Z' })
  const before = await recorded(server)
  for (const [id, status] of [
    [succeeded, 'SUCCEEDED'],
    [running, 'RUNNING'],
    [queued, 'QUEUED'],
    [scheduled, 'SCHEDULED'],
  ])
    expect(await retry(server, { id })).toMatchObject({ __typename: 'InvalidTransitionError', status })
  expect(await recorded(server)).toBe(before)
  free.open()
})
