import { setTimeout as sleep } from 'node:timers/promises'
import type { Eventually } from '../core/eventually.ts'
import { AttemptTimeout, WorkerStopped } from './abort.ts'
import type { Attempt } from './attempt.ts'
import type { HandlerContext } from './define-action.ts'
import type { RegisteredAction } from './registry.ts'

/**
 * Calls the handler. An `unsafe` one that is cut is given a moment to come to its end: the probe must not be asked, and
 * nobody may begin again, while it is still at it.
 */
export function callHandler(attempt: Attempt, context: HandlerContext<unknown>): Eventually<unknown> {
  const { action, abort } = attempt
  return action.effect === 'unsafe' ? callUnsafe(attempt, context) : abort.race(() => action.run(context as never))
}

async function callUnsafe({ action, abort, giveUp }: Attempt, context: HandlerContext<unknown>): Promise<unknown> {
  let begun: Promise<unknown> | undefined
  try {
    return await abort.race(() => {
      begun = call(action, context)
      return begun
    })
  } catch (thrown) {
    const cut = thrown instanceof AttemptTimeout || thrown instanceof WorkerStopped
    if (!cut || !begun || (await settles(begun, UNSAFE_SETTLE_MS, giveUp))) throw thrown
    throw new StillRunning(thrown)
  }
}

async function call(action: RegisteredAction, context: HandlerContext<unknown>): Promise<unknown> {
  return action.run(context as never)
}

/** How long an unsafe handler may take to heed its `signal`. */
const UNSAFE_SETTLE_MS = 2_000

/** An unsafe handler that was cut goes on: what it will have done, nobody knows. */
export class StillRunning extends Error {
  readonly cut: Error
  constructor(cut: Error) {
    super('The handler goes on after it was cut')
    this.cut = cut
  }
}

function settles(work: Promise<unknown>, ms: number, giveUp: AbortSignal): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  )
  const late = sleep(ms, false, { signal: giveUp, ref: false }).catch(() => false)
  return Promise.race([settled, late])
}
