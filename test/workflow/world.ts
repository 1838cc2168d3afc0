import { setTimeout as sleep } from 'node:timers/promises'
import { type Action, action, NonRetryableError } from '../../src/index.ts'
import { aborted } from '../support/runs.ts'
import { type ActionParams, actionParams, retry } from './action-params.ts'

/** What actions have done, by run; and which runs have been mended, by their tag. */
export interface World {
  readonly actions: Action[]
  /** Runs of actions that came to a good end, each as often as its handler did. */
  readonly done: Map<string, number>
  /** Runs whose effect was undone, by the run that undid it. */
  readonly undone: Map<string, number>
  readonly mended: Set<string>
}

export function makeWorld(): World {
  const done = new Map<string, number>()
  const undone = new Map<string, number>()
  const mended = new Set<string>()
  const run = async (context: { params: ActionParams; attempt: number; runId: string; signal: AbortSignal }) => {
    const { tag, does, takes } = context.params
    if (takes > 0) await sleep(takes)
    const works = mended.has(tag) || does === 'works' || (typeof does === 'number' && context.attempt > does)
    if (!works && does === 'hangs') return aborted(context.signal)
    if (!works && does === 'breaks') throw new NonRetryableError('broken')
    if (!works) throw new Error('not yet')
    count(done, context.runId)
    return context.attempt
  }
  return {
    actions: [
      action('act-only', { params: actionParams, retry, run }),
      action('act', {
        params: actionParams,
        retry,
        run,
        async compensate({ params: { undo, takes }, runId }) {
          if (takes > 0) await sleep(takes)
          if (undo === 'breaks') throw new NonRetryableError('cannot be undone')
          count(undone, runId)
        },
      }),
    ],
    done,
    undone,
    mended,
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
