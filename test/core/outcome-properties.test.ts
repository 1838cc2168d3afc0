import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AttemptFacts, type Decision, decide, type Outcome } from '../../src/core/outcome.ts'
import { MAX_DELAY_MS } from '../../src/core/retry.ts'
import { isLegal } from '../../src/core/transitions.ts'
import { anyError, anyFacts, anyOutcome, chance } from './support.ts'

/** Checks a law of every decision. */
function holds(law: (decision: Decision, outcome: Outcome, facts: AttemptFacts) => void): void {
  fc.assert(
    fc.property(anyOutcome, anyFacts, (outcome, facts) => {
      law(decide(outcome, facts), outcome, facts)
    }),
    { numRuns: 1_000 },
  )
}

const mayGoOn = ({ to }: Decision) => to === 'QUEUED' || to === 'SCHEDULED'

test('every decision is in the table of transitions', () => {
  holds(({ to, reason }) => {
    expect(isLegal({ from: 'RUNNING', to, reason })).toBe(true)
  })
})

test('counted failures and losses never shrink, and grow by one at most, never both', () => {
  holds((decision, _, facts) => {
    const grown = [decision.failures - facts.failures, decision.losses - facts.losses]
    expect([
      [0, 0],
      [1, 0],
      [0, 1],
    ]).toContainEqual(grown)
  })
})

test('a result is there exactly when the run succeeded, an error exactly when it did not', () => {
  holds(({ to, result, error, attemptStatus }, outcome) => {
    expect(result !== null).toBe(to === 'SUCCEEDED')
    expect(error === null).toBe(to === 'SUCCEEDED')
    expect(attemptStatus === 'SUCCEEDED').toBe(to === 'SUCCEEDED')
    if ('error' in outcome) expect(error).toBe(outcome.error)
  })
})

test('a wait is there exactly when the run goes on by itself, and is a time that a clock can reach', () => {
  holds((decision) => {
    expect(decision.delayMs !== null).toBe(mayGoOn(decision))
    expect(decision.delayMs ?? 0).toBeGreaterThanOrEqual(0)
    expect(decision.delayMs ?? 0).toBeLessThanOrEqual(MAX_DELAY_MS)
  })
})

test('an unsafe effect is never repeated by itself: its probe is asked first, or it said to come back later', () => {
  holds((decision, outcome, facts) => {
    if (facts.effect !== 'unsafe' || outcome.kind === 'not-started' || !mayGoOn(decision)) return
    const saidLater = outcome.kind === 'threw' && outcome.retryAfterMs !== undefined
    expect(decision.probe || saidLater).toBe(true)
  })
})

test('only an unsafe action that has a probe is probed, and only an unsafe one can end in doubt', () => {
  holds((decision, outcome, { effect, hasProbe }) => {
    if (decision.probe && outcome.kind !== 'not-started') expect([effect, hasProbe]).toEqual(['unsafe', true])
    if (decision.to === 'INDETERMINATE' && outcome.kind !== 'undecided') expect(effect).toBe('unsafe')
  })
})

test('a run that was never begun goes back as it was: nothing is counted, and a probe that was due stays due', () => {
  holds((decision, outcome, { failures, losses, probing }) => {
    if (outcome.kind !== 'not-started') return
    expect(decision).toMatchObject({ to: 'QUEUED', reason: 'NOT_STARTED', failures, losses, probe: probing })
  })
})

test('no attempt is scheduled after the deadline, and none against a permanent failure', () => {
  holds((decision, outcome, { retry, nowMs, budgetStartedMs }) => {
    if (decision.to !== 'SCHEDULED') return
    expect(nowMs + (decision.delayMs ?? 0)).toBeLessThanOrEqual(
      budgetStartedMs + (retry.deadlineMs ?? Number.POSITIVE_INFINITY),
    )
    expect('error' in outcome && outcome.error.retryable).toBe(true)
  })
})

test('the same outcome and facts always give the same decision, and neither is changed', () => {
  holds((decision, outcome, facts) => {
    const before = structuredClone({ outcome, facts })
    expect(decide(outcome, facts)).toEqual(decision)
    expect({ outcome, facts }).toEqual(before)
  })
})

const failing: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('threw' as const), error: anyError, retryAfterMs: fc.constantFrom(undefined, 0, 10) }),
  fc.record({ kind: fc.constant('unknown' as const), error: anyError, timedOut: fc.boolean() }),
)
const cut = fc.record({ kind: fc.constantFrom('lost' as const, 'stopped' as const), error: anyError })

/** Executes a run whose every attempt fails or is cut, until it goes on no more. `undefined`: the outcomes ran out. */
function simulate(start: AttemptFacts, outcomes: readonly (readonly [Outcome, number])[]) {
  let facts: AttemptFacts = { ...start, failures: 0, losses: 0 }
  const attempts = { failed: 0, lost: 0, last: undefined as Decision | undefined }
  for (const [outcome, random] of outcomes) {
    // a probe that found nothing done lets the handler run only while attempts are left
    if (attempts.last?.probe && facts.failures >= facts.retry.maxAttempts) break
    const decision = decide(outcome, { ...facts, random })
    if (outcome.kind === 'lost') attempts.lost += facts.waiting ? 0 : 1
    else if (outcome.kind !== 'stopped') attempts.failed++
    attempts.last = decision
    if (!mayGoOn(decision)) break
    facts = { ...facts, ...decision, nowMs: facts.nowMs + (decision.delayMs ?? 0) }
  }
  return attempts
}

test('over any sequence of failures, losses and stops no run fails more often than its policy allows', () => {
  const sequence = fc.array(fc.tuple(fc.oneof(failing, cut), chance), { minLength: 30, maxLength: 60 })
  fc.assert(
    fc.property(anyFacts, sequence, (facts, outcomes) => {
      const { failed, lost } = simulate(facts, outcomes)
      expect(failed).toBeLessThanOrEqual(facts.retry.maxAttempts)
      expect(lost).toBeLessThanOrEqual(facts.maxLosses)
    }),
    { numRuns: 1_000 },
  )
})

test('a run whose failures may all be repeated uses every attempt that its policy allows, and then fails', () => {
  const repeatable = failing.filter((outcome) => 'error' in outcome && outcome.error.retryable)
  const sequence = fc.array(fc.tuple(repeatable, chance), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(anyFacts, sequence, ({ retry: { maxAttempts, backoff }, ...facts }, outcomes) => {
      const { failed, last } = simulate({ ...facts, effect: 'idempotent', retry: { maxAttempts, backoff } }, outcomes)
      expect(failed).toBe(maxAttempts)
      expect(last).toMatchObject({ to: 'FAILED', reason: 'RETRIES_EXHAUSTED' })
    }),
  )
})
