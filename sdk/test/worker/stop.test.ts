import { describe, expect, it } from 'vitest'
import { gate, outcome, pass, stage, started } from '../support/worker.ts'

const ping = { run: () => 'pong' }

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
