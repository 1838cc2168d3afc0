import type { StepSpec } from './graph.ts'

/** What is known of a step's dependencies. */
export interface Dependencies {
  /** Those that have not ended, or that failed and hold the step up. */
  readonly pending: number
  /** Those that were completed. The others were skipped or canceled. */
  readonly live: number
}

export type JoinVerdict = 'wait' | 'run' | 'DEPENDENCIES_SKIPPED' | 'JOIN_OUT_OF_REACH'

/**
 * Whether a step may run. A join of all runs when every dependency has ended and at least one was completed: so a branch that
 * was not taken is skipped to its end, and the step where branches meet runs (dead path elimination; Leymann and Altenhuber,
 * "Managing business processes as an information resource", 1994). A join of n runs with the n-th completed one.
 */
export function joinVerdict(step: Pick<StepSpec, 'join' | 'onSkipped' | 'after'>, deps: Dependencies): JoinVerdict {
  const { pending, live } = deps
  const { need } = step.join
  if (need === 'all') {
    if (pending > 0) return 'wait'
    return live > 0 || step.onSkipped === 'run' || step.after.length === 0 ? 'run' : 'DEPENDENCIES_SKIPPED'
  }
  if (live >= need) return 'run'
  if (live + pending >= need) return 'wait'
  if (step.onSkipped !== 'run') return 'JOIN_OUT_OF_REACH'
  return pending > 0 ? 'wait' : 'run'
}
