import { afterEach, expect, test, vi } from 'vitest'
import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../../src/core/errors.ts'

afterEach(() => {
  vi.useRealTimers()
})

const withoutOptions = [
  [new NonRetryableError('no'), 'NonRetryableError', 'NON_RETRYABLE'],
  [new RetryAfterError('later', 1), 'RetryAfterError', 'RETRY_AFTER'],
  [new OutcomeUnknownError('lost'), 'OutcomeUnknownError', 'OUTCOME_UNKNOWN'],
] as const

test.each(withoutOptions)('%s is an Error with its own name and default code', (error, name, code) => {
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name, code, details: undefined, cause: undefined })
  expect(String(error)).toBe(`${name}: ${error.message}`)
})

test('code, details and cause are those given', () => {
  const cause = new Error('socket closed')
  const options = { code: 'CARD_DECLINED', details: { reason: 'expired' }, cause }
  for (const error of [
    new NonRetryableError('m', options),
    new RetryAfterError('m', 0, options),
    new OutcomeUnknownError('m', options),
  ])
    expect(error).toMatchObject({ message: 'm', ...options })
})

test('a moment to come back at becomes the milliseconds until then', () => {
  vi.useFakeTimers({ now: 10_000 })
  expect(new RetryAfterError('m', new Date(12_500)).retryAfterMs).toBe(2_500)
})

test.each([
  [0, 0],
  [0.5, 0.5],
  [-1, 0],
  [Number.NEGATIVE_INFINITY, 0],
  [new Date(0), 0],
])('to come back in %s means in %d ms: the past is now', (given, expected) => {
  expect(new RetryAfterError('m', given).retryAfterMs).toBe(expected)
})

test.each([Number.NaN, new Date('no date')])('to come back at %s is refused, for it is no time', (given) => {
  expect(() => new RetryAfterError('m', given)).toThrow(TypeError)
})
