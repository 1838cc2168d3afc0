import type { AttemptFacts } from '../core/outcome.ts'
import { DEFAULT_RETRY } from '../core/retry.ts'
import type { RunRow } from '../db/rows.ts'
import type { RegisteredAction } from './registry.ts'

/**
 * What is known of an attempt that somebody else was given, when its end is to be decided.
 * @param action as that one has it; `undefined` where nobody here knows it.
 * @param waiting whether it waits for a service to call back.
 */
export function factsOfGiven(
  run: RunRow,
  action: Pick<RegisteredAction, 'probe' | 'retry'> | undefined,
  maxLosses: number,
  nowMs: number,
  waiting = false,
): AttemptFacts {
  return {
    // as whoever was given the run has it registered
    effect: run.effect,
    // whoever is given the run next knows whether it has a probe
    hasProbe: action === undefined || action.probe !== undefined,
    retry: action?.retry ?? DEFAULT_RETRY,
    failures: run.failures,
    losses: run.losses,
    maxLosses,
    probing: run.probe,
    waiting,
    nowMs,
    budgetStartedMs: run.budgetStartedAt?.getTime() ?? nowMs,
    random: Math.random(),
  }
}
