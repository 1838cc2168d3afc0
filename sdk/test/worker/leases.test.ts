import { describe, expect, it } from 'vitest'
import { kept, pass, started } from '../support/worker.ts'
import { loseAnswer, status } from '../support/worker-faults.ts'
import { LEASE_MS } from '../support/worker-server.ts'

const hold = { run: () => new Promise(() => {}) }

describe('the lease', () => {
  it('is renewed while the claim waits, also with nothing in hand', async () => {
    const { server } = await started({ actions: { hold } })
    await pass(60_000)
    const renewals = server.asked('renewLeases').length
    expect(renewals).toBeGreaterThanOrEqual(11)
    expect(renewals).toBeLessThanOrEqual(13)
    expect(server.workers.size).toBe(1)
    expect(server.asked('registerWorker')).toHaveLength(1)
  })

  it('is renewed for what is in hand, with a request that waits', async () => {
    const { server } = await started({ actions: { hold } })
    server.submit('hold')
    await pass(60_000)
    expect(
      server
        .asked('renewLeases')
        .filter(({ waitMs }) => waitMs)
        .at(-1),
    ).toEqual({
      workerId: 'worker_1',
      attempts: [{ runId: 'run_1', attempt: 1 }],
      waitMs: LEASE_MS / 3,
    })
    expect(server.asked('renewLeases').length).toBeLessThan(35)
  })

  it('is not asked for more than once a second, however many runs come and go', async () => {
    const { server } = await started({ actions: { quick: { run: () => 1 } } })
    for (let n = 0; n < 200; n++) {
      server.submit('quick')
      await pass(50)
    }
    expect([...server.runs.values()].filter(({ ended }) => ended)).toHaveLength(200)
    expect(server.asked('renewLeases').length).toBeLessThanOrEqual(10)
  })

  it('that could not be renewed for its length ends all that is in hand', async () => {
    const { contexts, action } = kept()
    const { server, told } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass(4_000)
    server.down = true
    await pass(LEASE_MS * (2 / 3))
    expect(contexts[0]?.signal.aborted).toBe(false)
    await pass(LEASE_MS / 3)
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
    expect(told.filter(({ phase }) => phase === 'renew').length).toBeGreaterThan(2)
    server.down = false
    await pass(60_000)
    // the server had given it to the next, which is this worker under another id
    expect(server.asked('registerWorker')).toHaveLength(2)
    expect(server.runs.get('run_1')).toMatchObject({ attempt: 2, workerId: 'worker_2' })
    expect(contexts).toHaveLength(2)
  })

  it('survives an outage that is shorter', async () => {
    const { contexts, action } = kept()
    const { server, worker } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass(3_400)
    server.down = true
    await pass(LEASE_MS / 2)
    server.down = false
    await pass(40_000)
    expect(contexts).toHaveLength(1)
    expect(contexts[0]?.signal.aborted).toBe(false)
    expect(worker.id).toBe('worker_1')
  })

  it('that the server does not know any more makes the worker register anew and go on', async () => {
    const { contexts, action } = kept()
    const { server, worker } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass(2_000)
    server.expire()
    await pass(10_000)
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
    expect(worker.id).toBe('worker_2')
    expect(contexts).toHaveLength(2)
    expect(server.runs.get('run_1')).toMatchObject({ attempt: 2, workerId: 'worker_2' })
    expect(server.asked('failAttempt')).toEqual([])
  })

  it('is registered for anew with backoff', async () => {
    const { server, worker, told } = await started({ actions: { hold } })
    server.expire()
    server.next('registerWorker', status(503), status(500), loseAnswer)
    await pass(40_000)
    expect(told.filter(({ phase }) => phase === 'register')).toHaveLength(3)
    expect(worker.id).toBe('worker_5')
  })
})

describe('an attempt that is taken away', () => {
  it('has its signal aborted at once, and nothing of it is reported', async () => {
    const { contexts, ends, action } = kept()
    const { server, told } = await started({ concurrency: 1, actions: { hold: action } })
    const [first, second] = [server.submit('hold'), server.submit('hold')]
    await pass(2_500)
    server.cancel(first!)
    await pass()
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'RUN_REVOKED' })
    // its slot is free, whatever the function still does
    expect(second?.workerId).toBe('worker_1')
    ends.open('late')
    await pass()
    expect(server.asked('completeAttempt')).toMatchObject([{ runId: 'run_2' }])
    expect(told).toEqual([])
  })

  it('is noticed early also where it came into hand after others', async () => {
    const { contexts, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass(2_000)
    const late = server.submit('hold')
    await pass(1_500)
    server.cancel(late)
    await pass()
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false, true])
  })

  it('is not confused with a later attempt of the same run', async () => {
    const { contexts, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    const run = server.submit('hold')
    await pass(2_000)
    server.requeue(run)
    await pass(20_000)
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false])
  })

  it('is none where it had ended before', async () => {
    const { contexts, ends, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass(2_000)
    ends.open()
    await pass(10_000)
    expect(contexts[0]?.signal.aborted).toBe(false)
  })

  it('is forgotten where its report finds it gone', async () => {
    const { ends, action } = kept()
    const { server, told } = await started({ actions: { hold: action } })
    const run = server.submit('hold')
    await pass()
    server.cancel(run)
    ends.open()
    await pass(10_000)
    expect(server.asked('completeAttempt')).toHaveLength(1)
    expect(told).toEqual([])
  })
})

describe('missed', () => {
  it('makes the worker ask for what it holds without knowing', async () => {
    const { server } = await started({ actions: { quick: { run: () => 'done' } } })
    const run = server.submit('quick', {}, { workerId: 'worker_1', attempt: 1 })
    await pass(6_000)
    expect(run.ended).toMatchObject({ attempt: 1, result: 'done' })
  })
})
