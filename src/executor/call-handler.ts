import { setTimeout as sleep } from 'node:timers/promises'
import { AttemptTimeout, WorkerStopped } from './abort.ts'
import { type Attempt, untilAborted } from './attempt.ts'
import type { HandlerContext } from './define-action.ts'

/**
 * Calls the handler. An `unsafe` one that is cut is given a moment to come to its end: the probe must not be asked, and
 * nobody may begin again, while it is still at it.
 */
export async function callHandler(attempt: Attempt, context: HandlerContext<unknown>): Promise<unknown> {
  const { action, abort, giveUp } = attempt
  abort.signal.throwIfAborted()
  const handler = Promise.resolve().then(() => action.run(context as never))
  try {
    return await untilAborted(abort.signal, () => handler)
  } catch (thrown) {
    const cut = thrown instanceof AttemptTimeout || thrown instanceof WorkerStopped
    if (action.effect !== 'unsafe' || !cut || (await settles(handler, UNSAFE_SETTLE_MS, giveUp))) throw thrown
    throw new StillRunning(thrown)
  }
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
