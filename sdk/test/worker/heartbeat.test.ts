import { describe, expect, it } from 'vitest'
import { kept, pass, started } from '../support/worker.ts'
import { status } from '../support/worker-faults.ts'

describe('heartbeat', () => {
  it('is sent at most once a second, and always the last', async () => {
    const { contexts, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    const run = server.submit('hold', {}, { lastHeartbeat: { at: 7 } })
    await pass()
    expect(contexts[0]?.lastHeartbeat).toEqual({ at: 7 })
    for (let n = 1; n <= 50; n++) {
      contexts[0]?.heartbeat({ n })
      await pass(100)
    }
    await pass(1_000)
    const beats = server.asked('renewLeases').flatMap(({ attempts }) => attempts as { heartbeat?: unknown }[])
    expect(beats.filter(({ heartbeat }) => heartbeat).length).toBeLessThanOrEqual(6)
    expect(run.lastHeartbeat).toEqual({ n: 50 })
  })

  it('comes before the end of the attempt, for the next one', async () => {
    const { server } = await started({
      actions: {
        long: {
          run: ({ heartbeat, lastHeartbeat }) => {
            if (lastHeartbeat) return lastHeartbeat
            heartbeat({ page: 3 })
            throw new Error('in the middle')
          },
        },
      },
    })
    const run = server.submit('long')
    await pass()
    expect(run.ended).toMatchObject({ failure: 'FAILED' })
    expect(run.lastHeartbeat).toEqual({ page: 3 })
    server.requeue(run)
    await pass()
    expect(run.ended).toMatchObject({ attempt: 2, result: { page: 3 } })
  })

  it('is sent again with the next renewal when one got lost', async () => {
    const { contexts, action } = kept()
    const { server, told } = await started({ actions: { hold: action } })
    const run = server.submit('hold')
    await pass(1_500)
    server.next('renewLeases', status(503))
    contexts[0]?.heartbeat('half')
    await pass(5_000)
    expect(run.lastHeartbeat).toBe('half')
    expect(told).toMatchObject([{ phase: 'renew' }])
  })

  it('refuses what is no JSON or too much, and leaves the attempt alone', async () => {
    const { contexts, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    server.submit('hold')
    await pass()
    for (const progress of [undefined, () => 5, { n: 1n }, new Map(), 'x'.repeat(65_535)])
      expect(() => contexts[0]?.heartbeat(progress)).toThrow(TypeError)
    contexts[0]?.heartbeat('x'.repeat(65_534))
    await pass(2_000)
    expect(contexts[0]?.signal.aborted).toBe(false)
    expect(server.runs.get('run_1')?.lastHeartbeat).toHaveLength(65_534)
  })

  it('of many attempts goes in renewals of a bounded size', async () => {
    const { contexts, action } = kept()
    const { server } = await started({ actions: { hold: action } })
    for (let n = 0; n < 10; n++) server.submit('hold')
    await pass(1_500)
    for (const { heartbeat } of contexts) heartbeat('x'.repeat(60_000))
    await pass(5_000)
    expect([...server.runs.values()].every(({ lastHeartbeat }) => lastHeartbeat)).toBe(true)
    const sizes = server.asked('renewLeases').map((input) => JSON.stringify(input).length)
    expect(Math.max(...sizes)).toBeLessThan(300_000)
  })
})
