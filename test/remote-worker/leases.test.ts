import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { handWorker } from '../support/remote-worker.ts'
import { GET_RUN, type ShownRun, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const get = async (server: TestServer, id: string) => (await server.query<{ run: ShownRun }>(GET_RUN, { id })).run

const CANCEL = 'mutation($input: CancelRunInput!) { cancelRun(input: $input) { __typename ... on Error { message } } }'

const MANY =
  'mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) { ... on ExecuteActionPayload { run { id } } } }'

/** A worker that has one attempt of `action` in hand. */
async function withOne(server: TestServer, action: object = { name: 'a' }) {
  const worker = await handWorker(server, [action as { name: string }])
  const { run } = await server.execute({ name: (action as { name: string }).name, waitMs: 0 })
  const [claimed] = await worker.claim()
  expect(claimed!.runId).toBe(run!.id)
  return { worker, claimed: claimed! }
}

test('a renewal that waits answers at once when a run is canceled, and the attempt is lost', async () => {
  const server = await startTestServer([], { leaseMs: 60_000 })
  const { worker, claimed } = await withOne(server)
  const began = performance.now()
  const renewing = worker.renew(
    [claimed].map(({ runId, attempt }) => ({ runId, attempt })),
    20_000,
  )
  await sleep(100)
  await server.query(CANCEL, { input: { id: claimed.runId } })
  expect(await renewing).toMatchObject({ lost: [claimed.runId], missed: false })
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(await worker.complete(claimed, 1)).toMatchObject({ code: 'ATTEMPT_LOST', message: /CANCELED/ })
  expect((await get(server, claimed.runId)).status).toBe('CANCELED')
})

test('a cancel on another node reaches the renewal that waits on this one', async () => {
  const one = await startTestServer([], { leaseMs: 60_000 })
  const two = await startTestServer([], { leaseMs: 60_000, databaseUrl: one.databaseUrl })
  const { worker, claimed } = await withOne(one)
  const renewing = worker.renew([{ runId: claimed.runId, attempt: 1 }], 15_000)
  await sleep(100)
  await two.query(CANCEL, { input: { id: claimed.runId } })
  expect(await renewing).toMatchObject({ lost: [claimed.runId] })
})

test('progress is recorded, and comes with the next attempt', async () => {
  const server = await startTestServer([])
  const { worker, claimed } = await withOne(server)
  await worker.renew([{ runId: claimed.runId, attempt: 1, heartbeat: { done: 3 } }])
  expect((await get(server, claimed.runId)).heartbeat).toEqual({ done: 3 })
  await worker.fail(claimed, { retryAfterMs: 0 })
  expect((await worker.claim())[0]).toMatchObject({ attempt: 2, lastHeartbeat: { done: 3 } })
  expect(await worker.renew([{ runId: claimed.runId, attempt: 2, heartbeat: 'x'.repeat(70_000) }])).toMatchObject({
    code: 'INVALID_INPUT',
    path: 'attempts.0.heartbeat',
  })
})

test('a worker that does not renew loses its runs, and what it says afterwards changes nothing', async () => {
  const server = await startTestServer([], { leaseMs: 3_000 })
  const { worker, claimed } = await withOne(server)
  server.advance(3_100)
  await until(async () => (await get(server, claimed.runId)).status === 'QUEUED')
  expect((await get(server, claimed.runId)).attempts).toMatchObject([
    { status: 'LOST', error: { code: 'WORKER_LOST' } },
  ])
  expect(await worker.complete(claimed, 'late')).toMatchObject({ code: 'ATTEMPT_LOST' })
  expect(await worker.renew()).toMatchObject({ code: 'WORKER_NOT_FOUND' })
  await expect(worker.claim({ waitMs: 0 })).rejects.toThrow(/WORKER_NOT_FOUND/)
  const next = await handWorker(server, ['a'])
  const [again] = await next.claim()
  expect(again).toMatchObject({ runId: claimed.runId, attempt: 2 })
  expect(await worker.complete(again!, 'late')).toMatchObject({ code: 'ATTEMPT_LOST' })
  expect(await next.complete(again!, 'in time')).toMatchObject({ run: { status: 'SUCCEEDED', result: 'in time' } })
})

test('an unsafe attempt of a lost worker is not repeated: with a probe the next worker is asked', async () => {
  const server = await startTestServer([], { leaseMs: 3_000 })
  const { claimed } = await withOne(server, { name: 'pay', effect: 'unsafe', probe: true })
  server.advance(3_100)
  await until(async () => (await get(server, claimed.runId)).status === 'QUEUED')
  const next = await handWorker(server, [{ name: 'pay', effect: 'unsafe', probe: true } as never])
  const [again] = await next.claim()
  expect(again).toMatchObject({ attempt: 2, probe: true, lastAttempt: false })
  await next.complete(again!, { paid: true }, { confirmed: true })
  const run = await get(server, claimed.runId)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { paid: true } })
  expect(run.events.at(-1)?.reason).toBe('PROBE_CONFIRMED')
})

test('an unsafe attempt without a probe waits for a person', async () => {
  const server = await startTestServer([], { leaseMs: 3_000 })
  const { worker, claimed } = await withOne(server, { name: 'pay', effect: 'unsafe' })
  expect(await worker.fail(claimed, { failure: 'TIMED_OUT' })).toMatchObject({ run: { status: 'INDETERMINATE' } })
})

test('what a lost answer brought comes again with the next claim that names what is in hand', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  await server.execute({ name: 'a', params: 1, waitMs: 0 })
  const [lost] = await worker.claim()
  const [again] = await worker.claim({ holding: [], waitMs: 0 })
  expect(again).toEqual(lost)
  const holding = [{ runId: lost!.runId, attempt: 1 }]
  expect(await worker.claim({ holding, waitMs: 0 })).toEqual([])
  expect(await worker.renew(holding)).toMatchObject({ lost: [], missed: false })
})

test('a renewal says that a worker has runs that it does not name, once their answer cannot be on its way', async () => {
  const server = await startTestServer([], { leaseMs: 60_000 })
  const { worker } = await withOne(server)
  expect(await worker.renew()).toMatchObject({ missed: false })
  server.advance(5_100)
  expect(await worker.renew()).toMatchObject({ missed: true })
})

test('a worker that lives and is silent about an attempt for too long has it ended', async () => {
  const server = await startTestServer([], { leaseMs: 3_000 })
  const { worker, claimed } = await withOne(server, { name: 'a', timeoutMs: 1_000, retry: { maxAttempts: 1 } })
  for (let i = 0; i < 16; i++) {
    server.advance(2_000)
    expect(await worker.renew([{ runId: claimed.runId, attempt: 1 }])).toMatchObject({
      __typename: 'RenewLeasesPayload',
    })
  }
  await until(async () => (await get(server, claimed.runId)).status === 'FAILED')
  expect((await get(server, claimed.runId)).attempts).toMatchObject([
    { status: 'TIMED_OUT', error: { code: 'ATTEMPT_TIMED_OUT' } },
  ])
})

test('so has one that many attempts stand before that may take long', async () => {
  const server = await startTestServer([], { leaseMs: 600_000, queueLimit: 10_000 })
  const long = { name: 'long', timeoutMs: 3_600_000 }
  const short = { name: 'short', timeoutMs: 1_000, retry: { maxAttempts: 1 } }
  const worker = await handWorker(server, [long, short])
  const submit = async (name: string, times: number) => {
    const inputs = Array.from({ length: times }, () => ({ name }))
    const { executeActions } = await server.query<{ executeActions: { run: { id: string } }[] }>(MANY, { inputs })
    return executeActions.map(({ run }) => run.id)
  }
  await submit('long', 700)
  const overdue = await submit('short', 20)
  let claimed = 0
  while (claimed < 720) claimed += (await worker.claim({ limit: 1_000 })).length
  server.advance(40_000)
  for (const id of overdue) await until(async () => (await get(server, id)).status === 'FAILED')
})

test('a worker that stops gives back what it never heard of as it was, and the rest as lost', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, [{ name: 'a', effect: 'unsafe' } as never])
  for (let i = 0; i < 2; i++) await server.execute({ name: 'a', waitMs: 0 })
  const [begun, unheardOf] = await worker.claim()
  expect(await worker.stop([{ runId: begun!.runId, attempt: 1 }])).toMatchObject({ handedOn: 2 })
  expect(await get(server, unheardOf!.runId)).toMatchObject({ status: 'QUEUED', attempts: [{ status: 'CANCELED' }] })
  expect(await get(server, begun!.runId)).toMatchObject({ status: 'INDETERMINATE', attempts: [{ status: 'LOST' }] })
  expect(await worker.stop()).toMatchObject({ handedOn: 0 })
})
