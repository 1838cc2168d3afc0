import { expect, test } from 'vitest'
import { ask, handWorker } from '../support/remote-worker.ts'
import { GET_RUN, type ShownRun, startTestServer } from '../support/server.ts'

const get = async (server: { query<T>(document: string, variables: object): Promise<T> }, id: string) =>
  (await server.query<{ run: ShownRun }>(GET_RUN, { id })).run

test('a run of a remote action is pulled, completed, and answered to its caller', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['greet'])
  const executing = server.execute({ name: 'greet', params: { to: 'Ada' }, idempotencyKey: 'k' })
  const [claimed] = await worker.claim()
  expect(claimed).toMatchObject({
    name: 'greet',
    attempt: 1,
    operation: 'EXECUTE',
    params: { to: 'Ada' },
    probe: false,
    timeoutMs: 60_000,
  })
  expect(claimed!.idempotencyKey).toBe(claimed!.runId)
  const first = await worker.complete(claimed!, { said: 'Hello Ada' })
  expect(first).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED', result: { said: 'Hello Ada' } } })
  const { run } = await executing
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { said: 'Hello Ada' } })
  expect(run!.events.map(({ reason }) => reason)).toEqual(['SUBMITTED', 'STARTED', 'COMPLETED'])
  expect(run!.attempts).toMatchObject([{ number: 1, status: 'SUCCEEDED' }])
})

test('saying how an attempt ended again changes nothing, and something else is refused', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['greet'])
  await server.execute({ name: 'greet', waitMs: 0 })
  const [claimed] = await worker.claim()
  await worker.complete(claimed!, 1)
  expect(await worker.complete(claimed!, 1)).toMatchObject({ replayed: true, run: { status: 'SUCCEEDED', result: 1 } })
  expect(await worker.fail(claimed!)).toMatchObject({ __typename: 'AttemptLostError', code: 'ATTEMPT_LOST' })
  expect((await get(server, claimed!.runId)).attempts).toHaveLength(1)
})

test('a failed attempt is retried by the policy that the worker registered', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, [
    { name: 'flaky', retry: { maxAttempts: 2, backoff: { initialMs: 1, jitter: false } } } as never,
  ])
  await server.execute({ name: 'flaky', waitMs: 0 })
  const [first] = await worker.claim()
  const failed = await worker.fail(first!, { error: { message: 'busy', code: 'BUSY', details: { a: 1 } } })
  expect(failed).toMatchObject({ replayed: false, run: { status: 'SCHEDULED' } })
  expect(await worker.fail(first!)).toMatchObject({ replayed: true })
  const [second] = await worker.claim()
  expect(second).toMatchObject({ attempt: 2 })
  expect(await worker.fail(second!)).toMatchObject({ run: { status: 'FAILED' } })
  const run = await get(server, first!.runId)
  expect(run.attempts.map(({ error }) => error?.code)).toEqual(['BUSY', 'ACTION_FAILED'])
})

test('a permanent failure ends the run, and RETRY AFTER overrides the backoff', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  await server.execute({ name: 'a', waitMs: 0 })
  const [one] = await worker.claim()
  expect(await worker.fail(one!, { error: { message: 'never', retryable: false } })).toMatchObject({
    run: { status: 'FAILED' },
  })
  await server.execute({ name: 'a', waitMs: 0 })
  const [two] = await worker.claim()
  expect(await worker.fail(two!, { retryAfterMs: 60_000 })).toMatchObject({ run: { status: 'SCHEDULED' } })
  const event = (await get(server, two!.runId)).events.at(-1)
  const waitMs = Date.parse((event!.data as { availableAt: string }).availableAt) - Date.now()
  expect(waitMs).toBeGreaterThan(50_000)
})

test('a result that does not fit its schema fails the attempt for good, and is accepted as said', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, [{ name: 'a', resultSchema: { type: 'string' } } as never])
  await server.execute({ name: 'a', waitMs: 0 })
  const [claimed] = await worker.claim()
  expect(await worker.complete(claimed!, 5)).toMatchObject({
    replayed: false,
    run: { status: 'FAILED', error: { code: 'INVALID_RESULT' } },
  })
  expect(await worker.complete(claimed!, 5)).toMatchObject({ replayed: true })
})

test('params that do not fit the registered schema are refused before anything is recorded', async () => {
  const server = await startTestServer([])
  await handWorker(server, [
    {
      name: 'a',
      // pattern is the worker's to check; the rest is checked here
      paramsSchema: {
        type: 'object',
        required: ['n'],
        properties: { n: { type: 'integer' }, s: { type: 'string', pattern: '^x' } },
      },
    } as never,
  ])
  expect(await server.execute({ name: 'a', params: { n: 'x' } })).toMatchObject({ code: 'INVALID_PARAMS' })
  const accepted = await server.execute({ name: 'a', params: { n: 1, s: 'y' }, waitMs: 0 })
  expect(accepted.run).toMatchObject({ status: 'QUEUED' })
})

test('an unknown run, an unknown worker and wrong numbers are refused with what to do', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  expect(await worker.complete({ runId: 'run_x', attempt: 1 })).toMatchObject({ code: 'RUN_NOT_FOUND' })
  expect(await ask(server, 'claimRuns', { workerId: 'no', names: ['a'], limit: 1 })).toMatchObject({
    code: 'WORKER_NOT_FOUND',
  })
  expect(await ask(server, 'renewLeases', { workerId: 'no', attempts: [] })).toMatchObject({ code: 'WORKER_NOT_FOUND' })
  expect(await ask(server, 'claimRuns', { workerId: worker.id, names: ['a', 'b'], limit: 1 })).toMatchObject({
    code: 'INVALID_INPUT',
    path: 'names',
    message: 'names has "b", which the worker has not registered',
  })
  expect(await ask(server, 'claimRuns', { workerId: worker.id, names: ['a'], limit: 0 })).toMatchObject({
    code: 'INVALID_INPUT',
    path: 'limit',
  })
  expect(await ask(server, 'claimRuns', { workerId: worker.id, names: ['a'], limit: 1, waitMs: 60_001 })).toMatchObject(
    {
      path: 'waitMs',
    },
  )
})
