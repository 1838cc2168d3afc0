import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DoError, Worker } from '../../src/worker/index.ts'
import { gate, pass, stage, started } from '../support/worker.ts'
import { answerWith, loseAnswer, status, WorkerServer } from '../support/worker-server.ts'

const ping = { run: () => 'pong' }
const refused = (field: Parameters<typeof answerWith>[0], code: string) => answerWith(field, { code, message: 'no' })

/** What a promise has come to, without waiting for it. */
function outcome(promise: Promise<unknown>): { value?: string; error?: unknown } {
  const seen: { value?: string; error?: unknown } = {}
  promise.then(
    () => Object.assign(seen, { value: 'done' }),
    (error) => Object.assign(seen, { error }),
  )
  return seen
}

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

describe('stop', () => {
  it('lets functions finish, reports them, and then takes leave', async () => {
    const held = gate()
    const { server, worker } = await started({ actions: { hold: { run: () => held.opened } } })
    const [run, next] = [server.submit('hold'), undefined as unknown]
    await pass()
    const stop = outcome(worker.stop())
    const stopped = outcome(worker.stopped)
    const late = server.submit('hold')
    await pass(9_000)
    expect(stop).toEqual({})
    held.open('in time')
    await pass()
    expect(run?.ended).toMatchObject({ result: 'in time' })
    expect([stop, stopped]).toEqual([{ value: 'done' }, { value: 'done' }])
    expect(server.requests.at(-1)).toMatchObject({ field: 'stopWorker', input: { workerId: 'worker_1' } })
    expect(server.asked('claimRuns')).toHaveLength(2)
    // a claim that was aborted may have brought it: it is handed on
    expect(late.workerId).toBeUndefined()
    expect(next).toBeUndefined()
  })

  it('keeps the lease meanwhile', async () => {
    const { server, worker } = await started({
      shutdownMs: 60_000,
      actions: { hold: { timeoutMs: 100_000, run: () => new Promise(() => {}) } },
    })
    server.submit('hold', {}, { timeoutMs: 100_000 })
    await pass()
    void worker.stop()
    await pass(55_000)
    expect(server.workers.size).toBe(1)
  })

  it('aborts what does not finish, and says so', async () => {
    const reasons: unknown[] = []
    const { server, worker, told } = await started({
      shutdownMs: 3_000,
      actions: {
        hold: {
          run: ({ signal }) =>
            new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                reasons.push(signal.reason)
                reject(signal.reason)
              })
            }),
        },
      },
    })
    const run = server.submit('hold')
    await pass()
    const stop = outcome(worker.stop())
    await pass(3_000)
    expect(reasons).toMatchObject([{ code: 'WORKER_STOPPED' }])
    expect(run.ended).toMatchObject({ failure: 'STOPPED', error: { code: 'WORKER_STOPPED' } })
    expect(stop).toEqual({ value: 'done' })
    expect(told).toEqual([])
  })

  it('leaves undecided what is unsafe and goes on', async () => {
    const { server, worker } = await started({
      shutdownMs: 0,
      actions: { pay: { effect: 'unsafe', run: () => new Promise(() => {}) } },
    })
    const run = server.submit('pay')
    await pass()
    const stop = outcome(worker.stop())
    await pass(1_900)
    expect(run.ended).toBeUndefined()
    await pass(200)
    expect(run.ended).toMatchObject({ failure: 'UNDECIDED', error: { code: 'WORKER_STOPPED' } })
    expect(stop).toEqual({ value: 'done' })
  })

  it('does not wait for a server that is gone', async () => {
    const { server, worker, told } = await started({ shutdownMs: 1_000, actions: { ping } })
    server.submit('ping')
    server.down = true
    await pass()
    const stop = outcome(worker.stop())
    await pass(1_000 + 10_000)
    expect(stop).toEqual({ value: 'done' })
    expect(told.at(-1)).toMatchObject({ phase: 'stop' })
  })

  it('is done once, however often it is called', async () => {
    const { server, worker } = await started({ actions: { ping } })
    expect(worker.stop()).toBe(worker.stop())
    await pass()
    await worker.stop()
    expect(server.asked('stopWorker')).toHaveLength(1)
  })

  it('during the start ends that with ABORTED', async () => {
    const { server, worker } = stage({ actions: { ping } })
    server.next('registerWorker', () => new Promise(() => {}))
    const start = outcome(worker.start())
    await pass()
    const stop = outcome(worker.stop())
    await pass()
    expect(start.error).toMatchObject({ code: 'ABORTED' })
    expect(stop).toEqual({ value: 'done' })
    expect(server.asked('claimRuns')).toEqual([])
  })

  it('while it registers anew ends that', async () => {
    const { server, worker } = await started({ actions: { ping } })
    server.expire()
    server.next('registerWorker', () => new Promise(() => {}))
    await pass(6_000)
    expect(server.asked('registerWorker')).toHaveLength(2)
    const stop = outcome(worker.stop())
    await pass()
    expect(stop).toEqual({ value: 'done' })
    expect(outcome(worker.stopped)).toEqual({})
  })

  it('hands on what an aborted claim had brought', async () => {
    const { server, worker } = await started({ actions: { ping } })
    // the server has handed it over, and its answer is on its way for ever
    server.next('claimRuns', async (process) => {
      await process()
      return await new Promise(() => {})
    })
    server.submit('ping')
    await pass()
    const caught = server.submit('ping')
    await pass()
    expect(caught.workerId).toBe('worker_1')
    const stop = outcome(worker.stop())
    await pass()
    expect(stop).toEqual({ value: 'done' })
    expect(caught.workerId).toBeUndefined()
    expect(caught.ended).toBeUndefined()
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
