import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DoError, Worker } from '../../src/worker/index.ts'
import { outcome, pass, stage, started } from '../support/worker.ts'
import { answerWith, loseAnswer, status } from '../support/worker-faults.ts'
import { WorkerServer } from '../support/worker-server.ts'

const ping = { run: () => 'pong' }
const refused = (field: Parameters<typeof answerWith>[0], code: string) => answerWith(field, { code, message: 'no' })

describe('start', () => {
  it('resolves when the worker is registered, once', async () => {
    const { server, worker } = stage({ actions: { ping } })
    expect(worker.id).toBeUndefined()
    const started = worker.start()
    expect(worker.start()).toBe(started)
    await pass()
    await started
    expect(worker.id).toBe('worker_1')
    expect(server.asked('registerWorker')).toHaveLength(1)
  })

  it('repeats a registration that gets lost', async () => {
    const { server, worker } = stage({ actions: { ping } })
    server.next('registerWorker', status(503), loseAnswer)
    const start = outcome(worker.start())
    await pass(2_000)
    expect(start).toEqual({ value: 'done' })
    expect(server.asked('registerWorker')).toHaveLength(3)
  })

  it.each(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_DEFINITION'])('rejects at once with %s', async (code) => {
    const { server, worker } = stage({ actions: { ping } })
    server.next('registerWorker', refused('registerWorker', code))
    const start = outcome(worker.start())
    await pass()
    expect(start.error).toBeInstanceOf(DoError)
    expect(start.error).toMatchObject({ code })
    expect(server.requests).toHaveLength(1)
  })

  it('rejects when the server cannot be reached, and may be tried again', async () => {
    const { server, worker } = stage({ actions: { ping } })
    server.down = true
    const start = outcome(worker.start())
    await pass(20_000)
    expect(start.error).toMatchObject({ code: 'NETWORK_ERROR', retryable: true })
    server.down = false
    const again = outcome(worker.start())
    await pass()
    expect(again).toEqual({ value: 'done' })
  })

  it('is refused after a stop', async () => {
    const { worker } = stage({ actions: { ping } })
    await worker.stop()
    await worker.stopped
    await expect(worker.start()).rejects.toThrow('stopped')
  })
})

describe('stopped', () => {
  it.each([
    ['claimRuns', 'PERMISSION_DENIED'],
    ['renewLeases', 'UNAUTHENTICATED'],
    ['completeAttempt', 'PERMISSION_DENIED'],
  ] as const)('rejects when %s says %s, and ends what is in hand', async (field, code) => {
    const signals: AbortSignal[] = []
    const hold = {
      run: ({ signal }: { signal: AbortSignal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    }
    const { server, worker } = await started({ actions: { hold, ping } })
    server.submit('hold')
    await pass(100)
    server.next(field, refused(field, code))
    server.submit('ping')
    await pass(10_000)
    await expect(worker.stopped).rejects.toMatchObject({ code })
    expect(signals[0]?.reason).toMatchObject({ code: 'LEASE_LOST' })
    const before = server.requests.length
    await pass(60_000)
    expect(server.requests).toHaveLength(before)
  })

  it('rejects when an action is refused on registering anew', async () => {
    const { server, worker } = await started({ actions: { ping } })
    server.expire()
    server.next('registerWorker', refused('registerWorker', 'INVALID_DEFINITION'))
    await pass(10_000)
    await expect(worker.stopped).rejects.toMatchObject({ code: 'INVALID_DEFINITION' })
  })
})

it('works over a real connection, on a real clock', async () => {
  const fake = new WorkerServer()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const answer = await fake.fetch('', { body: Buffer.concat(chunks).toString() })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const worker = new Worker({ url: `http://localhost:${port}`, concurrency: 50, actions: { ping } })
  await worker.start()
  const runs = Array.from({ length: 500 }, () => fake.submit('ping'))
  while (runs.some(({ ended }) => !ended)) await new Promise((resolve) => setTimeout(resolve, 10))
  await worker.stop()
  await worker.stopped
  expect(runs.every(({ ended }) => ended?.attempt === 1)).toBe(true)
  expect(fake.violations).toEqual([])
})
