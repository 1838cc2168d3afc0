import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../../src/worker/index.ts'
import { gate, pass, started } from '../support/worker.ts'
import type { FakeRun } from '../support/worker-server.ts'

const params = z.object({ to: z.string().transform((text) => text.toUpperCase()) })

describe('params', () => {
  it('come as the schema leaves them', async () => {
    const { server } = await started({ actions: { greet: { params, run: ({ params }) => params.to } } })
    const run = server.submit('greet', { to: 'ada' })
    await pass()
    expect(run.ended).toMatchObject({ result: 'ADA' })
  })

  it('that do not fit are a permanent failure', async () => {
    const { server } = await started({ actions: { greet: { params, run: () => 'never' } } })
    const run = server.submit('greet', { to: 5 })
    await pass()
    expect(run.ended).toMatchObject({
      failure: 'FAILED',
      error: { code: 'INVALID_PARAMS', retryable: false, details: { issues: [{ path: 'to' }] } },
    })
  })

  it('that do not fit leave undecided what may have happened', async () => {
    const { server } = await started({
      actions: { pay: { effect: 'unsafe', params, run: () => 1, probe: () => ({ outcome: 'not-executed' }) } },
    })
    const run = server.submit('pay', { to: 5 }, { probe: true })
    await pass()
    expect(run.ended).toMatchObject({
      failure: 'UNDECIDED',
      error: { code: 'OUTCOME_UNKNOWN', details: { cause: { code: 'INVALID_PARAMS' } } },
    })
  })
})

describe('a result', () => {
  async function ended(returned: unknown): Promise<FakeRun['ended']> {
    const { server } = await started({ actions: { give: { run: () => returned } } })
    const run = server.submit('give')
    await pass()
    return run.ended
  }

  it('that is nothing is null', async () => {
    expect(await ended(undefined)).toMatchObject({ result: null })
  })

  it('becomes what JSON makes of it', async () => {
    const returned = { at: new Date('2026-01-01T00:00:00Z'), absent: undefined, list: [1, { deep: null }] }
    expect(await ended(returned)).toMatchObject({
      result: { at: '2026-01-01T00:00:00.000Z', list: [1, { deep: null }] },
    })
  })

  const loop: Record<string, unknown> = {}
  loop.self = loop
  it.each([{ n: 1n }, { n: Number.NaN }, { n: new Map() }, { n: () => 5 }, { n: 'a\u0000' }, { n: '\ud800' }, loop])(
    'that JSON would change without a word is a permanent failure that says where: %#',
    async (returned) => {
      expect(await ended(returned)).toMatchObject({
        failure: 'FAILED',
        error: { code: 'INVALID_RESULT', retryable: false, details: { issues: [{ path: expect.any(String) }] } },
      })
    },
  )

  it('is checked by its schema, which may change it', async () => {
    const { server, told } = await started({
      actions: {
        give: { result: z.object({ n: z.number().default(7) }), run: ({ params }) => params as { n: number } },
      },
    })
    const [right, wrong] = [server.submit('give', {}), server.submit('give', { n: 'x' })]
    await pass()
    expect(right?.ended).toMatchObject({ result: { n: 7 } })
    expect(wrong?.ended).toMatchObject({ error: { code: 'INVALID_RESULT', retryable: false } })
    expect(told).toMatchObject([{ phase: 'run', runId: 'run_2' }])
  })
})

describe('what a function throws', () => {
  class Declined extends Error {
    readonly code = 'CARD_DECLINED'
    readonly details = { reason: 'funds', big: 5n }
  }
  const hostile = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no')
    },
    getPrototypeOf: () => {
      throw new Error('no')
    },
  })

  it.each([
    [new Error('gone'), { failure: 'FAILED', error: { code: 'ACTION_FAILED', message: 'gone', retryable: true } }],
    ['text', { error: { code: 'ACTION_FAILED', message: 'text', retryable: true } }],
    [new Declined('no'), { error: { code: 'CARD_DECLINED', details: { reason: 'funds', big: '5' } } }],
    [Object.assign(new Error('x'), { code: 'lower' }), { error: { code: 'ACTION_FAILED' } }],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), { error: { code: 'ECONNRESET' } }],
    [
      new NonRetryableError('never', { code: 'BLOCKED', details: [1] }),
      { error: { code: 'BLOCKED', retryable: false } },
    ],
    [new RetryAfterError('later', 1500), { failure: 'FAILED', retryAfterMs: 1500, error: { code: 'RETRY_AFTER' } }],
    [new OutcomeUnknownError('lost'), { failure: 'OUTCOME_UNKNOWN', error: { code: 'OUTCOME_UNKNOWN' } }],
    [hostile, { failure: 'FAILED', error: { code: 'ACTION_FAILED', retryable: true } }],
    [undefined, { failure: 'FAILED', error: { message: 'undefined' } }],
  ])('is recorded: %#', async (thrown, expected) => {
    const { server, told } = await started({
      actions: {
        fail: {
          run: () => {
            throw thrown
          },
        },
      },
    })
    const run = server.submit('fail')
    await pass()
    expect(run.ended).toMatchObject(expected)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ phase: 'run', runId: 'run_1' })
  })

  it('may disturb onError, which disturbs nobody', async () => {
    const { server } = await started({ actions: { fail: { run: () => Promise.reject(new Error('x')) } } })
    for (let n = 0; n < 3; n++) server.submit('fail')
    await pass()
    expect([...server.runs.values()].every(({ ended }) => ended)).toBe(true)
  })
})

describe('a timeout', () => {
  it('aborts the signal and is reported, whatever the function still does', async () => {
    const reasons: unknown[] = []
    const { server, told } = await started({
      actions: {
        slow: {
          run: ({ signal }) => {
            signal.addEventListener('abort', () => reasons.push(signal.reason))
            return new Promise(() => {})
          },
        },
      },
    })
    const run = server.submit('slow', {}, { timeoutMs: 500 })
    await pass(499)
    expect(run.ended).toBeUndefined()
    await pass(1)
    expect(run.ended).toMatchObject({ failure: 'TIMED_OUT', error: { code: 'ATTEMPT_TIMED_OUT', retryable: true } })
    expect(reasons).toMatchObject([{ code: 'ATTEMPT_TIMED_OUT' }])
    expect(told).toEqual([])
  })

  it('gives an unsafe function 2 s to end', async () => {
    const held = gate()
    const { server } = await started({ actions: { pay: { effect: 'unsafe', run: () => held.opened } } })
    const run = server.submit('pay', {}, { timeoutMs: 500 })
    await pass(2_400)
    expect(run.ended).toBeUndefined()
    held.open()
    await pass()
    expect(run.ended).toMatchObject({ failure: 'TIMED_OUT' })
  })

  it('of an unsafe function that goes on leaves the run undecided', async () => {
    const { server } = await started({ actions: { pay: { effect: 'unsafe', run: () => new Promise(() => {}) } } })
    const run = server.submit('pay', {}, { timeoutMs: 500 })
    await pass(2_500)
    expect(run.ended).toMatchObject({ failure: 'UNDECIDED', error: { code: 'ATTEMPT_TIMED_OUT' } })
  })
})

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
