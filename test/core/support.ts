import fc from 'fast-check'
import { EFFECTS } from '../../src/core/effect.ts'
import type { RunError } from '../../src/core/failure.ts'
import type { AttemptFacts, Outcome } from '../../src/core/outcome.ts'
import { MAX_DELAY_MS, type RetryPolicy } from '../../src/core/retry.ts'

/** Any Unicode text, astral characters and control characters included. */
export const anyText = (maxLength = 20) => fc.string({ unit: 'binary', maxLength })

/** Text made of what separates, quotes and escapes, so that a careless encoding of several parts collides. */
export const trickyText = fc
  .array(fc.constantFrom('a', 'b', '"', '\\', ',', ':', '/', '[', ']', '\u0000', '\u001F', ' '), { maxLength: 4 })
  .map((parts) => parts.join(''))

export const anyPolicy: fc.Arbitrary<RetryPolicy> = fc.record(
  {
    maxAttempts: fc.integer({ min: 1, max: 8 }),
    backoff: fc.record({
      initialMs: fc.oneof(fc.constantFrom(0, 1, 500, Number.MAX_VALUE), fc.double({ min: 0, max: 1e6, noNaN: true })),
      factor: fc.oneof(fc.constantFrom(1, 2, Number.MAX_VALUE), fc.double({ min: 1, max: 1e6, noNaN: true })),
      maxMs: fc.oneof(fc.constantFrom(0, 60_000, Number.MAX_VALUE), fc.double({ min: 0, max: 1e9, noNaN: true })),
      jitter: fc.boolean(),
    }),
    deadlineMs: fc.integer({ min: 1, max: 100_000 }),
  },
  { requiredKeys: ['maxAttempts', 'backoff'] },
)

/** A number in [0, 1), as Math.random() gives it. */
export const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

export const anyError: fc.Arbitrary<RunError> = fc.record({
  code: fc.constantFrom('ACTION_FAILED', 'WORKER_LOST'),
  message: fc.string(),
  retryable: fc.boolean(),
})

const retryAfterMs = fc.option(fc.constantFrom(0, 1, 1_000, 3_600_000, 2 * MAX_DELAY_MS, Number.POSITIVE_INFINITY), {
  nil: undefined,
})

export const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constantFrom('returned' as const, 'confirmed' as const), result: fc.json() }),
  fc.record({ kind: fc.constant('threw' as const), error: anyError, retryAfterMs }),
  fc.record({ kind: fc.constant('unknown' as const), error: anyError, timedOut: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom(
      'exhausted' as const,
      'undecided' as const,
      'stopped' as const,
      'lost' as const,
      'not-started' as const,
    ),
    error: anyError,
  }),
)

export const anyFacts: fc.Arbitrary<AttemptFacts> = fc.record({
  effect: fc.constantFrom(...EFFECTS),
  hasProbe: fc.boolean(),
  retry: anyPolicy,
  failures: fc.nat(10),
  losses: fc.nat(10),
  maxLosses: fc.integer({ min: 1, max: 6 }),
  probing: fc.boolean(),
  waiting: fc.boolean(),
  nowMs: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_200_000 }),
  budgetStartedMs: fc.constant(1_700_000_000_000),
  random: chance,
})
