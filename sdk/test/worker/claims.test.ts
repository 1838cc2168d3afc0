import { describe, expect, it } from 'vitest'
import { gate, pass, started } from '../support/worker.ts'
import { loseAnswer, status } from '../support/worker-faults.ts'
import type { Fault } from '../support/worker-server.ts'

const ping = { run: () => 'pong' }

describe('claims', () => {
  it('bring runs, which are executed and reported', async () => {
    const { server } = await started({
      actions: { greet: { run: async ({ idempotencyKey, attempt }) => ({ idempotencyKey, attempt }) } },
    })
    const run = server.submit('greet')
    await pass()
    expect(run.ended).toEqual({
      runId: 'run_1',
      attempt: 1,
      result: { idempotencyKey: 'key_run_1', attempt: 1 },
      confirmed: false,
    })
  })

  it('wait at the server, one at a time', async () => {
    const { server } = await started({ actions: { ping } })
    await pass(29_000)
    expect(server.asked('claimRuns')).toEqual([{ workerId: 'worker_1', names: ['ping'], limit: 10, waitMs: 30_000 }])
    await pass(2_000)
    expect(server.asked('claimRuns')).toHaveLength(2)
  })

  it('ask for no more than the slots that are free, and not at all without one', async () => {
    const held = [gate(), gate(), gate()]
    const { server } = await started({
      concurrency: 2,
      actions: { hold: { run: ({ params }) => held[params as number]!.opened } },
    })
    for (const index of held.keys()) server.submit('hold', index)
    await pass(40_000)
    expect(server.asked('claimRuns').map(({ limit }) => limit)).toEqual([2])
    held[0]!.open()
    await pass()
    expect(server.asked('claimRuns').map(({ limit }) => limit)).toEqual([2, 1])
    expect(server.runs.get('run_3')?.workerId).toBe('worker_1')
  })

  it('leave out actions without a slot of their own, until they have one', async () => {
    const held = gate()
    const { server } = await started({ actions: { rare: { concurrency: 1, run: () => held.opened }, ping } })
    const [, second] = [server.submit('rare'), server.submit('rare')]
    await pass()
    expect(server.asked('claimRuns').at(-1)).toMatchObject({ names: ['ping'], limit: 9 })
    expect(second?.workerId).toBeUndefined()
    held.open()
    await pass()
    // the claim that waits does not ask for it: another takes its place at once
    expect(second?.ended).toMatchObject({ attempt: 1 })
    expect(server.asked('claimRuns').at(-1)).toMatchObject({ names: ['rare', 'ping'] })
  })

  it('bring no more of an action than it has slots, and of the others all that there is', async () => {
    const { server } = await started({
      actions: {
        rare: { concurrency: 1, run: () => new Promise(() => {}) },
        hold: { run: () => new Promise(() => {}) },
      },
    })
    for (let n = 0; n < 6; n++) server.submit('hold')
    for (let n = 0; n < 6; n++) server.submit('rare')
    await pass()
    expect(server.asked('claimRuns').map(({ names, limit, waitMs }) => ({ names, limit, waitMs }))).toEqual([
      { names: ['rare', 'hold'], limit: 1, waitMs: 30_000 },
      { names: ['hold'], limit: 9, waitMs: 0 },
      { names: ['rare', 'hold'], limit: 1, waitMs: 30_000 },
      { names: ['hold'], limit: 3, waitMs: 30_000 },
    ])
    expect(server.asked('failAttempt')).toEqual([])
  })

  it('free a slot only when the end is reported', async () => {
    const { server } = await started({ concurrency: 1, actions: { ping } })
    server.next('completeAttempt', status(503))
    server.submit('ping')
    await pass()
    expect(server.asked('claimRuns')).toHaveLength(1)
    await pass(200)
    expect(server.asked('completeAttempt')).toHaveLength(2)
    expect(server.asked('claimRuns')).toHaveLength(2)
  })

  it('rest a little after an empty answer that came early', async () => {
    const { server } = await started({ actions: { ping } })
    const empty = async () => Response.json({ data: { claimRuns: { runs: [] } } })
    server.next('claimRuns', ...Array.from({ length: 30 }, () => empty))
    await pass(30_000)
    await pass(10_000)
    // 250 ms, doubling to 5 s
    expect(server.asked('claimRuns').length).toBeLessThan(10)
    expect(server.asked('claimRuns').length).toBeGreaterThan(4)
  })

  it('back off while the server cannot be reached, up to 30 s, and are told of', async () => {
    const { server, told } = await started({ actions: { ping } })
    await pass(30_000 - 1)
    server.down = true
    const before = server.asked('claimRuns').length
    await pass(200_000)
    const times = server.requests.filter(({ field }) => field === 'claimRuns').map(({ at }) => at)
    const gaps = times.slice(before).map((at, index, all) => at - (all[index - 1] ?? at))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000)
    expect(gaps.length).toBeLessThan(16)
    expect(told.some(({ phase }) => phase === 'claim')).toBe(true)
    server.down = false
    await pass(60_000)
    const run = server.submit('ping')
    await pass()
    expect(run.ended).toMatchObject({ result: 'pong' })
  })

  it('stay away for as long as Retry-After says', async () => {
    const { server } = await started({ actions: { ping } })
    server.next('claimRuns', status(429, { 'retry-after': '12' }))
    await pass(30_000)
    await pass(11_900)
    expect(server.asked('claimRuns')).toHaveLength(2)
    await pass(200)
    expect(server.asked('claimRuns').length).toBeGreaterThan(2)
  })

  it('say what is in hand after an answer was lost, so that what it brought comes again', async () => {
    const held = gate()
    const { server } = await started({ actions: { hold: { run: () => held.opened }, ping } })
    const first = server.submit('hold')
    await pass()
    server.next('claimRuns', loseAnswer)
    // answers the claim that waits, and the next is the one that gets lost
    server.submit('ping')
    await pass()
    const lost = server.submit('ping')
    await pass(1_000)
    expect(server.asked('claimRuns').find(({ holding }) => holding)).toMatchObject({
      holding: [{ runId: first.runId, attempt: 1 }],
      waitMs: 0,
    })
    expect(lost.ended).toMatchObject({ attempt: 1, result: 'pong' })
    expect(server.asked('claimRuns').at(-1)).not.toHaveProperty('holding')
  })

  it('ignore what is in hand already and comes again', async () => {
    let calls = 0
    const held = gate()
    const { server } = await started({
      actions: {
        hold: {
          run: () => {
            calls++
            return held.opened
          },
        },
      },
    })
    const run = server.submit('hold')
    await pass()
    server.next('claimRuns', async () => Response.json({ data: { claimRuns: { runs: [{ ...run }] } } }))
    await pass(60_000)
    expect(calls).toBe(1)
    held.open()
    await pass()
    expect(run.ended).toMatchObject({ attempt: 1 })
  })

  it('ignore what comes again after it has ended', async () => {
    const { server } = await started({ actions: { ping } })
    server.submit('ping')
    const late =
      (ms: number): Fault =>
      async (process) => {
        const answer = await process()
        await new Promise((resolve) => setTimeout(resolve, ms))
        return answer
      }
    // the run is on its way when a renewal says that it was missed: the claim that follows brings it again, and later
    server.next('claimRuns', late(150), late(250))
    await pass(4_900)
    const run = server.submit('ping')
    await pass(1_000)
    expect(server.asked('claimRuns').filter(({ holding }) => holding)).toHaveLength(1)
    expect(run.ended).toMatchObject({ attempt: 1 })
    expect(server.asked('completeAttempt')).toHaveLength(2)
  })

  it('give back what there is no slot for', async () => {
    const held = gate()
    const { server } = await started({ concurrency: 1, actions: { hold: { run: () => held.opened } } })
    const [first, second] = [server.submit('hold'), server.submit('hold')]
    server.requeue(second)
    await pass()
    Object.assign(second, { workerId: 'worker_1', attempt: 1 })
    held.open()
    server.next('claimRuns', async () =>
      Response.json({ data: { claimRuns: { runs: [{ ...second }, { ...server.submit('hold'), attempt: 1 }] } } }),
    )
    await pass()
    expect(first.ended).toBeDefined()
    expect(server.asked('failAttempt')).toMatchObject([{ runId: 'run_3', failure: 'NOT_STARTED' }])
  })

  it('of a later attempt revoke the earlier one', async () => {
    const signals: AbortSignal[] = []
    const { server } = await started({
      actions: {
        hold: {
          run: ({ signal }) => {
            signals.push(signal)
            return new Promise(() => {})
          },
        },
      },
    })
    const run = server.submit('hold')
    await pass()
    server.requeue(run)
    await pass()
    expect(run.attempt).toBe(2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(signals[0]?.reason).toMatchObject({ code: 'RUN_REVOKED' })
  })
})
