import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { pass, started } from '../support/worker.ts'
import type { FakeRun } from '../support/worker-server.ts'

const params = z.object({ to: z.string().transform((text) => text.toUpperCase()) })

describe('a probe', () => {
  const asked = async (probe: () => unknown, more: Partial<FakeRun> = {}) => {
    const calls: string[] = []
    const { server, told } = await started({
      actions: {
        pay: {
          effect: 'unsafe',
          run: () => {
            calls.push('run')
            return 'ran'
          },
          probe: (async () => {
            calls.push('probe')
            return probe()
          }) as never,
        },
      },
    })
    const run = server.submit('pay', {}, { probe: true, timeoutMs: 1_000, ...more })
    await pass(2_000)
    return { ended: run.ended, calls, told }
  }

  it('that says it happened confirms the result', async () => {
    const { ended, calls } = await asked(() => ({ outcome: 'succeeded', result: { id: 1 } }))
    expect(ended).toMatchObject({ result: { id: 1 }, confirmed: true })
    expect(calls).toEqual(['probe'])
  })

  it('that says it did not happen lets it run', async () => {
    const { ended, calls } = await asked(() => ({ outcome: 'not-executed' }))
    expect(ended).toMatchObject({ result: 'ran', confirmed: false })
    expect(calls).toEqual(['probe', 'run'])
  })

  it('that says so when no attempt is left ends it', async () => {
    const { ended, calls } = await asked(() => ({ outcome: 'not-executed' }), { lastAttempt: true })
    expect(ended).toMatchObject({ failure: 'NOT_EXECUTED', error: { code: 'OUTCOME_UNKNOWN' } })
    expect(calls).toEqual(['probe'])
  })

  it.each([
    ['says that nobody knows', () => ({ outcome: 'unknown' }), 0],
    ['says nothing', () => undefined, 0],
    ['throws', () => Promise.reject(new Error('x')), 1],
    ['takes too long', () => new Promise(() => {}), 0],
    ['gives a result that is none', () => ({ outcome: 'succeeded', result: 5n }), 1],
  ])('that %s leaves it undecided', async (_, probe, told) => {
    const asking = await asked(probe)
    expect(asking.ended).toMatchObject({ failure: 'UNDECIDED', error: { code: 'OUTCOME_UNKNOWN' } })
    expect(asking.calls).toEqual(['probe'])
    expect(asking.told).toHaveLength(told)
  })

  it('that this worker does not have leaves it undecided', async () => {
    const { server } = await started({ actions: { pay: { effect: 'unsafe', run: () => 1 } } })
    const run = server.submit('pay', {}, { probe: true })
    await pass()
    expect(run.ended).toMatchObject({ failure: 'UNDECIDED' })
  })
})

describe('a compensation', () => {
  const undo = { operation: 'COMPENSATE', result: { id: 'm_1' } } as const

  it('is given what was done, and is done with null', async () => {
    const given: unknown[] = []
    const { server } = await started({
      actions: {
        mail: {
          params,
          run: () => 'never',
          compensate: ({ signal: _, ...context }) => {
            given.push(context)
          },
        },
      },
    })
    const run = server.submit('mail', { to: 'ada' }, undo)
    await pass()
    expect(given).toEqual([
      { params: { to: 'ADA' }, result: { id: 'm_1' }, idempotencyKey: 'key_run_1', runId: 'run_1', attempt: 1 },
    ])
    expect(run.ended).toMatchObject({ result: null, confirmed: false })
  })

  it('that fails is reported, and told', async () => {
    const { server, told } = await started({
      actions: { mail: { run: () => 1, compensate: () => Promise.reject(new Error('no')) } },
    })
    const run = server.submit('mail', {}, undo)
    await pass()
    expect(run.ended).toMatchObject({ failure: 'FAILED', error: { message: 'no', retryable: true } })
    expect(told).toMatchObject([{ phase: 'compensate' }])
  })

  it('that this worker does not have is a permanent failure', async () => {
    const { server } = await started({ actions: { mail: { run: () => 1 } } })
    const run = server.submit('mail', {}, undo)
    await pass()
    expect(run.ended).toMatchObject({ error: { code: 'NOT_COMPENSABLE', retryable: false } })
  })
})
