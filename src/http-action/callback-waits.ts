import type { Logger } from 'pino'
import type { CallbackState } from '../core/http-action/callback.ts'
import { callbackTopic } from '../core/ids.ts'
import { type CallbackKey, callbackStates } from '../db/callbacks.ts'
import type { Database } from '../db/client.ts'
import type { Hub } from '../events/hub.ts'
import { Loop } from '../executor/loop.ts'

/** So many are asked for by one statement. */
const BATCH = 500

/** Without any word of a change, what is waited for is looked at so often. */
const LONGEST_LOOK_MS = 30_000

interface Waiting {
  readonly key: CallbackKey
  readonly progressed: (progress: unknown) => void
  readonly settle: (state: CallbackState) => void
  readonly fail: (reason: unknown) => void
  shown: string
}

/** The attempts of this node that wait for a callback. One statement looks for all of them. */
export class CallbackWaits {
  private readonly waiting = new Set<Waiting>()
  private readonly looking: Loop
  private readonly db: Database
  private readonly hub: Hub

  constructor(db: Database, hub: Hub, log: Logger) {
    this.db = db
    this.hub = hub
    this.looking = new Loop('looking for callbacks', log, () => this.look())
  }

  /**
   * Waits until one of the calls under the key has ended, or the deadline of the last one has passed.
   * @param progressed told of each progress that a service reports.
   */
  async until(key: CallbackKey, signal: AbortSignal, progressed: (progress: unknown) => void): Promise<CallbackState> {
    const unwatch = this.hub.watch(callbackTopic(key.runId, key.key), () => this.looking.wake())
    let waiting: Waiting | undefined
    const abort = () => waiting?.fail(signal.reason)
    try {
      return await new Promise<CallbackState>((settle, fail) => {
        waiting = { key, progressed, settle, fail, shown: 'null' }
        this.waiting.add(waiting)
        signal.addEventListener('abort', abort, { once: true })
        this.looking.wake()
      })
    } finally {
      unwatch()
      signal.removeEventListener('abort', abort)
      if (waiting) this.waiting.delete(waiting)
    }
  }

  /** Lets everybody go who waits: others take it up. */
  async stop(reason: Error): Promise<void> {
    for (const { fail } of this.waiting) fail(reason)
    await this.looking.stop()
  }

  private async look(): Promise<number> {
    const all = [...this.waiting]
    let nextMs = LONGEST_LOOK_MS
    for (let at = 0; at < all.length; at += BATCH) {
      const batch = all.slice(at, at + BATCH)
      const states = await callbackStates(
        this.db,
        batch.map(({ key }) => key),
      )
      for (const waiting of batch) {
        const state = states.get(waiting.key.key)
        if (state) nextMs = Math.min(nextMs, this.tell(waiting, state))
      }
    }
    return nextMs
  }

  /** Answers with the milliseconds until its deadline. */
  private tell(waiting: Waiting, state: CallbackState): number {
    const shown = JSON.stringify(state.progress)
    if (shown !== waiting.shown) waiting.progressed(state.progress)
    waiting.shown = shown
    const leftMs = (state.pendingUntil?.getTime() ?? 0) - this.db.clock.nowMs()
    if (state.outcome === null && leftMs > 0) return leftMs
    waiting.settle(state)
    return LONGEST_LOOK_MS
  }
}
