import type { RunStatus } from '../status.ts'
import { type CompiledGraph, descendantsOf } from './graph.ts'

/** A step as far as a retry is concerned. */
export interface StepState {
  readonly status: RunStatus
  /** Whether those after it have heard of its end. */
  readonly resolved: boolean
}

export interface RetryPlan {
  /** Run again: the steps asked for, and those that have run on what they left. */
  readonly again: readonly string[]
  /** Have not run yet, and may once these have. */
  readonly next: readonly string[]
  /** Stay as they are. */
  readonly kept: readonly string[]
}

/** What a retry of steps would do to the other steps of their workflow. The keys are in the order of the graph. */
export function retryPlan(
  compiled: CompiledGraph,
  states: ReadonlyMap<string, StepState>,
  targets: readonly string[],
): RetryPlan {
  const statusOf = (key: string) => states.get(key)?.status ?? 'PENDING'
  const heard = targets.filter((key) => states.get(key)?.resolved)
  const behind = new Set(descendantsOf(compiled, targets))
  const again = new Set([...targets, ...descendantsOf(compiled, heard).filter((key) => statusOf(key) !== 'PENDING')])
  const next = compiled.order.filter((key) => behind.has(key) && !again.has(key) && statusOf(key) === 'PENDING')
  const touched = new Set([...again, ...next])
  return {
    again: compiled.order.filter((key) => again.has(key)),
    next,
    kept: compiled.order.filter((key) => !touched.has(key) && statusOf(key) !== 'PENDING'),
  }
}
