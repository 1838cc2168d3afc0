import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Backoff, backoffMs, DEFAULT_RETRY, type RetryOptions, retryPolicy } from '../../src/core/retry.ts'
import { anyPolicy, chance } from './support.ts'

const plain: Backoff = { initialMs: 500, factor: 2, maxMs: 60_000, jitter: false }
const failureCount = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 32_767 }))

describe('backoffMs', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [7, 32_000],
    [8, 60_000],
    [2_000, 60_000],
  ])('without jitter the wait after failure %d is exactly %d ms', (failures, expected) => {
    expect(backoffMs(plain, failures, 0.3)).toBe(expected)
  })

  test('with jitter the wait is the given part of the computed one', () => {
    const jittered = { ...plain, jitter: true }
    expect([0, 0.25, 0.999_999].map((random) => backoffMs(jittered, 3, random))).toEqual([0, 500, 1_999])
  })

  test('a first wait of 0 stays 0, however often the factor is applied', () => {
    expect(backoffMs({ ...plain, initialMs: 0 }, 5_000, 0.5)).toBe(0)
  })

  test('every wait is a whole number from 0 to the ceiling, even where the exponential overflows', () => {
    fc.assert(
      fc.property(anyPolicy, failureCount, chance, ({ backoff }, failures, random) => {
        const wait = backoffMs(backoff, failures, random)
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(backoff.maxMs)
        const computed = backoff.initialMs * backoff.factor ** (failures - 1)
        if (!Number.isNaN(computed)) expect(wait).toBeLessThanOrEqual(computed)
      }),
    )
  })

  test('without jitter no wait is shorter than the one before it', () => {
    fc.assert(
      fc.property(anyPolicy, failureCount, ({ backoff }, failures) => {
        const exact = { ...backoff, jitter: false }
        expect(backoffMs(exact, failures + 1, 0)).toBeGreaterThanOrEqual(backoffMs(exact, failures, 0))
      }),
    )
  })

  test('a wait with jitter is never longer than the one without', () => {
    fc.assert(
      fc.property(anyPolicy, failureCount, chance, ({ backoff }, failures, random) => {
        const longest = backoffMs({ ...backoff, jitter: false }, failures, random)
        expect(backoffMs({ ...backoff, jitter: true }, failures, random)).toBeLessThanOrEqual(longest)
      }),
    )
  })
})

describe('retryPolicy', () => {
  test('nothing given is the documented default, without a deadline', () => {
    expect(retryPolicy()).toEqual({
      maxAttempts: 3,
      backoff: { initialMs: 500, factor: 2, maxMs: 60_000, jitter: true },
    })
    expect(retryPolicy({})).toEqual(DEFAULT_RETRY)
  })

  test('what is given replaces its own default only', () => {
    expect(retryPolicy({ backoff: { factor: 3 }, deadlineMs: 1_000 })).toEqual({
      maxAttempts: 3,
      backoff: { ...DEFAULT_RETRY.backoff, factor: 3 },
      deadlineMs: 1_000,
    })
  })

  test('the limits themselves are accepted', () => {
    for (const options of [
      { maxAttempts: 1 },
      { maxAttempts: 32_767 },
      { backoff: { initialMs: 0, factor: 1, maxMs: 0 } },
      { deadlineMs: Number.MIN_VALUE },
    ])
      expect(() => retryPolicy(options)).not.toThrow()
  })

  const notNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1]
  const nonsense: [string, RetryOptions][] = [
    ...[...notNumbers, 0, 1.5, 32_768].map((n): [string, RetryOptions] => ['maxAttempts', { maxAttempts: n }]),
    ...notNumbers.map((n): [string, RetryOptions] => ['backoff.initialMs', { backoff: { initialMs: n } }]),
    ...notNumbers.map((n): [string, RetryOptions] => ['backoff.maxMs', { backoff: { maxMs: n } }]),
    ...[...notNumbers, 0, 0.99].map((n): [string, RetryOptions] => ['backoff.factor', { backoff: { factor: n } }]),
    ...[...notNumbers, 0].map((n): [string, RetryOptions] => ['deadlineMs', { deadlineMs: n }]),
    ['backoff.jitter', { backoff: { jitter: 0.5 as unknown as boolean } }],
    ['backoff.initialMs', { backoff: { initialMs: '500' as unknown as number } }],
  ]

  test.each(nonsense)('a senseless %s is refused by name: %o', (member, options) => {
    expect(() => retryPolicy(options)).toThrow(RangeError)
    expect(() => retryPolicy(options)).toThrow(`retry.${member} is `)
  })
})
