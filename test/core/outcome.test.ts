import { describe, expect, test } from 'vitest'
import { EFFECTS } from '../../src/core/effect.ts'
import type { RunError } from '../../src/core/failure.ts'
import { type AttemptFacts, decide } from '../../src/core/outcome.ts'
import { DEFAULT_RETRY, MAX_DELAY_MS } from '../../src/core/retry.ts'

const START = 1_700_000_000_000
const error: RunError = { code: 'ACTION_FAILED', message: 'no', retryable: true }
const permanent: RunError = { ...error, retryable: false }
const facts: AttemptFacts = {
  effect: 'idempotent',
  hasProbe: false,
  retry: { maxAttempts: 3, backoff: { ...DEFAULT_RETRY.backoff, jitter: false } },
  failures: 0,
  losses: 0,
  maxLosses: 5,
  probing: false,
  waiting: false,
  nowMs: START,
  budgetStartedMs: START,
  random: 0,
}
const unsafe: AttemptFacts = { ...facts, effect: 'unsafe' }
const probing: AttemptFacts = { ...unsafe, hasProbe: true }

describe('a success', () => {
  test.each([
    ['returned', 'COMPLETED'],
    ['confirmed', 'PROBE_CONFIRMED'],
  ] as const)('that was %s keeps its result and counts as no failure', (kind, reason) => {
    expect(decide({ kind, result: '{"a":1}' }, { ...facts, failures: 2, losses: 1 })).toEqual({
      to: 'SUCCEEDED',
      reason,
      attemptStatus: 'SUCCEEDED',
      result: '{"a":1}',
      error: null,
      delayMs: null,
      failures: 2,
      losses: 1,
      probe: false,
    })
  })
})

describe('a handler that throws', () => {
  test('is tried again after the backoff while the policy allows', () => {
    const decision = decide({ kind: 'threw', error }, { ...facts, failures: 1 })
    expect(decision).toMatchObject({ to: 'SCHEDULED', reason: 'RETRY_SCHEDULED', delayMs: 1_000, failures: 2, error })
  })

  test('has failed with the last attempt that the policy allows', () => {
    const decision = decide({ kind: 'threw', error }, { ...facts, failures: 2 })
    expect(decision).toMatchObject({ to: 'FAILED', reason: 'RETRIES_EXHAUSTED', delayMs: null, failures: 3 })
  })

  test('has failed at once when it says that repeating cannot help, even on its last attempt', () => {
    for (const failures of [0, 2])
      expect(decide({ kind: 'threw', error: permanent }, { ...facts, failures })).toMatchObject({
        to: 'FAILED',
        reason: 'PERMANENT_FAILURE',
        attemptStatus: 'FAILED',
      })
  })

  test('comes back when the other side said, instead of after the backoff', () => {
    expect(decide({ kind: 'threw', error, retryAfterMs: 0 }, facts)).toMatchObject({ to: 'SCHEDULED', delayMs: 0 })
    expect(decide({ kind: 'threw', error, retryAfterMs: 9_000 }, facts)).toMatchObject({ delayMs: 9_000 })
  })

  test('never waits longer than ten years, so that the due time is a date', () => {
    for (const retryAfterMs of [1e300, Number.POSITIVE_INFINITY])
      expect(decide({ kind: 'threw', error, retryAfterMs }, facts)).toMatchObject({ delayMs: MAX_DELAY_MS })
    const backoff = { initialMs: Number.MAX_VALUE, factor: 1, maxMs: Number.MAX_VALUE, jitter: false }
    const patient = { ...facts, retry: { maxAttempts: 3, backoff } }
    expect(decide({ kind: 'threw', error }, patient)).toMatchObject({ delayMs: MAX_DELAY_MS })
  })

  test('is not repeated when it is unsafe, unless it said to come back later', () => {
    expect(decide({ kind: 'threw', error }, unsafe)).toMatchObject({ to: 'FAILED', reason: 'PERMANENT_FAILURE' })
    expect(decide({ kind: 'threw', error, retryAfterMs: 5 }, unsafe)).toMatchObject({ to: 'SCHEDULED', delayMs: 5 })
  })

  test('that says to come back later still has no more attempts than the policy allows', () => {
    for (const base of [facts, unsafe])
      expect(decide({ kind: 'threw', error, retryAfterMs: 5 }, { ...base, failures: 2 })).toMatchObject({
        to: 'FAILED',
        reason: 'RETRIES_EXHAUSTED',
      })
  })
})

describe('the deadline', () => {
  const retry = { ...facts.retry, deadlineMs: 10_000 }

  test.each([
    [9_500, 'SCHEDULED', 'RETRY_SCHEDULED'],
    [9_501, 'FAILED', 'DEADLINE_EXCEEDED'],
  ])('%d ms after the first attempt began a backoff of 500 ms leads to %s', (sinceStart, to, reason) => {
    expect(decide({ kind: 'threw', error }, { ...facts, retry, nowMs: START + sinceStart })).toMatchObject({
      to,
      reason,
    })
  })

  test('holds for a time that the other side named', () => {
    const decision = decide({ kind: 'threw', error, retryAfterMs: 10_001 }, { ...facts, retry })
    expect(decision).toMatchObject({ to: 'FAILED', reason: 'DEADLINE_EXCEEDED', delayMs: null })
  })
})

describe('an unknown outcome', () => {
  test.each(['idempotent', 'transactional'] as const)('of an action that is %s is an ordinary failure', (effect) => {
    expect(decide({ kind: 'unknown', error, timedOut: true }, { ...facts, effect })).toMatchObject({
      to: 'SCHEDULED',
      attemptStatus: 'TIMED_OUT',
      failures: 1,
      probe: false,
    })
    expect(decide({ kind: 'unknown', error, timedOut: false }, { ...facts, effect, failures: 2 })).toMatchObject({
      to: 'FAILED',
      reason: 'RETRIES_EXHAUSTED',
      attemptStatus: 'FAILED',
    })
  })

  test('of an unsafe action is left to a person, or to the probe where there is one', () => {
    for (const timedOut of [true, false]) {
      const attemptStatus = timedOut ? 'TIMED_OUT' : 'FAILED'
      const shared = { attemptStatus, error, failures: 1 }
      const outcome = { kind: 'unknown', error, timedOut } as const
      expect(decide(outcome, unsafe)).toMatchObject({
        ...shared,
        to: 'INDETERMINATE',
        reason: 'OUTCOME_UNKNOWN',
        probe: false,
      })
      expect(decide(outcome, probing)).toMatchObject({
        ...shared,
        to: 'QUEUED',
        reason: 'PROBE_NEEDED',
        delayMs: 0,
        probe: true,
      })
    }
  })

  test('of the last attempt is still asked of the probe, for the effect may have happened', () => {
    const decision = decide({ kind: 'unknown', error, timedOut: true }, { ...probing, failures: 2 })
    expect(decision).toMatchObject({ to: 'QUEUED', reason: 'PROBE_NEEDED', failures: 3 })
  })
})

describe('a probe', () => {
  test('that cannot tell leaves the run to a person and counts as no failure of the handler', () => {
    const decision = decide({ kind: 'undecided', error }, { ...probing, failures: 1 })
    expect(decision).toMatchObject({ to: 'INDETERMINATE', reason: 'OUTCOME_UNKNOWN', failures: 1, probe: false })
  })

  test('that found nothing done when no attempt is left fails the run', () => {
    const decision = decide({ kind: 'exhausted', error }, { ...probing, failures: 3 })
    expect(decision).toMatchObject({ to: 'FAILED', reason: 'RETRIES_EXHAUSTED', failures: 3 })
  })
})

describe('a worker that stopped in good order', () => {
  test.each(EFFECTS.filter((effect) => effect !== 'unsafe'))('hands a run that is %s on, uncounted', (effect) => {
    expect(decide({ kind: 'stopped', error }, { ...facts, effect, failures: 2, losses: 4 })).toMatchObject({
      to: 'QUEUED',
      reason: 'WORKER_STOPPED',
      attemptStatus: 'CANCELED',
      delayMs: 0,
      failures: 2,
      losses: 4,
    })
  })

  test('leaves the outcome of an unsafe run unknown', () => {
    expect(decide({ kind: 'stopped', error }, unsafe)).toMatchObject({ to: 'INDETERMINATE', attemptStatus: 'CANCELED' })
    expect(decide({ kind: 'stopped', error }, probing)).toMatchObject({ to: 'QUEUED', reason: 'PROBE_NEEDED' })
  })
})

describe('a worker that was lost', () => {
  test('takes nothing from a run that only waited for a word from outside', () => {
    const waiting = { ...facts, losses: 4, waiting: true }
    expect(decide({ kind: 'lost', error }, waiting)).toMatchObject({ to: 'QUEUED', attemptStatus: 'LOST', losses: 4 })
    expect(decide({ kind: 'lost', error }, { ...waiting, effect: 'unsafe', hasProbe: true })).toMatchObject({
      to: 'QUEUED',
      probe: true,
      losses: 4,
    })
  })

  test('hands the run on at once, and the loss is counted apart from failures', () => {
    expect(decide({ kind: 'lost', error }, { ...facts, failures: 2, losses: 3 })).toMatchObject({
      to: 'QUEUED',
      reason: 'WORKER_LOST',
      attemptStatus: 'LOST',
      failures: 2,
      losses: 4,
    })
  })

  test('for the fifth time fails the run: it may be what kills the workers', () => {
    const decision = decide({ kind: 'lost', error }, { ...facts, losses: 4 })
    expect(decision).toMatchObject({ to: 'FAILED', reason: 'LOST_TOO_OFTEN', losses: 5, delayMs: null })
  })

  test('leaves an unsafe run to its probe, and for the fifth time to a person', () => {
    expect(decide({ kind: 'lost', error }, { ...probing, losses: 3 })).toMatchObject({ to: 'QUEUED', probe: true })
    expect(decide({ kind: 'lost', error }, { ...probing, losses: 4 })).toMatchObject({
      to: 'INDETERMINATE',
      probe: false,
    })
    expect(decide({ kind: 'lost', error }, unsafe)).toMatchObject({ to: 'INDETERMINATE', attemptStatus: 'LOST' })
  })
})
