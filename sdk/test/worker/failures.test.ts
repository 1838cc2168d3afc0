import { describe, expect, it } from 'vitest'
import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../../src/worker/index.ts'
import { gate, pass, started } from '../support/worker.ts'

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
