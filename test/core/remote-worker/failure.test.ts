import { expect, test } from 'vitest'
import { ATTEMPT_FAILURES, outcomeOfFailure } from '../../../src/core/remote-worker/failure.ts'

const error = { code: 'X', message: 'x', retryable: true }

test('each word of a worker is one outcome', () => {
  const outcomes = ATTEMPT_FAILURES.map((failure) => outcomeOfFailure(failure, error, undefined, true))
  expect(outcomes).toEqual([
    { kind: 'threw', error, retryAfterMs: undefined },
    { kind: 'unknown', error, timedOut: true },
    { kind: 'unknown', error, timedOut: false },
    { kind: 'undecided', error },
    { kind: 'exhausted', error },
    { kind: 'stopped', error },
    { kind: 'not-started', error: { ...error, code: 'NOT_STARTED' } },
  ])
})

test('an effect that did not happen may be tried again at once, where attempts are left', () => {
  expect(outcomeOfFailure('NOT_EXECUTED', error, undefined, false)).toEqual({ kind: 'threw', error, retryAfterMs: 0 })
})
