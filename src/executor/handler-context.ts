import type { Logger } from 'pino'
import type { Effect } from '../core/effect.ts'
import { downstreamKey, showRunId } from '../core/ids.ts'
import type { RetryPolicy } from '../core/retry.ts'
import type { Attempt } from './attempt.ts'
import type { InnerContext } from './define-action.ts'
import type { HeartbeatRecorder } from './heartbeat.ts'

/** What a handler gets. What costs something is made when it is asked for. */
export class AttemptContext implements InnerContext<unknown> {
  /**
   * Properties of each context itself, not of the class: a handler that is wrapped may be given `{ ...context, more }`. The
   * functions are shared by all contexts, so that all have one shape.
   */
  static readonly #madeWhenAskedFor: PropertyDescriptorMap = {
    idempotencyKey: AttemptContext.#from(({ run }) => downstreamKey(run.id, run.generation)),
    runId: AttemptContext.#from(({ run }) => showRunId(run.id)),
    signal: AttemptContext.#from(({ abort }) => abort.signal),
    log: AttemptContext.#from(({ log }) => log),
  }

  declare readonly idempotencyKey: string
  declare readonly runId: string
  declare readonly signal: AbortSignal
  declare readonly log: Logger
  readonly params: unknown
  readonly attempt: number
  readonly lastHeartbeat: unknown
  readonly heartbeat: (progress: unknown) => void
  readonly effect: Effect
  readonly retry: RetryPolicy
  readonly yieldSlot: () => void
  readonly #attempt: Attempt

  constructor(attempt: Attempt, params: unknown, heartbeat: HeartbeatRecorder) {
    this.#attempt = attempt
    this.params = params
    this.attempt = attempt.run.attempt
    this.lastHeartbeat = attempt.run.heartbeat ?? undefined
    this.heartbeat = (progress) => heartbeat.beat(progress)
    this.effect = attempt.action.effect
    this.retry = attempt.action.retry
    this.yieldSlot = attempt.yieldSlot
    Object.defineProperties(this, AttemptContext.#madeWhenAskedFor)
  }

  static #from(make: (attempt: Attempt) => unknown): PropertyDescriptor {
    return {
      enumerable: true,
      get(this: AttemptContext) {
        return make(this.#attempt)
      },
    }
  }
}
