import { type Eventually, isPromise } from '../core/eventually.ts'
import { tangible } from '../core/failure.ts'

/**
 * Aborts one attempt, for one of the reasons below; the reason decides what is recorded. The `AbortSignal` is made for a handler
 * that asks for it: with it, a short attempt would cost a third more.
 */
export class AttemptAbort {
  /** Why it was aborted; `undefined` while it was not. */
  reason: Error | undefined
  private controller: AbortController | undefined
  private listener: ((reason: Error) => void) | undefined

  /** The first reason stands. */
  abort(reason: Error): void {
    if (this.reason) return
    this.reason = reason
    this.controller?.abort(reason)
    this.listener?.(reason)
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController()
      if (this.reason) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  /**
   * What `call` comes to, or the reason of the abort, whichever comes first. One call at a time. Once it has come to its end, its signal
   * stays as it is: what is aborted while the end is recorded, because it was recorded already and the answer is on its way, say, must
   * not have a handler undo what it has done.
   */
  race<T>(call: () => Eventually<T>): Eventually<T> {
    if (this.reason) throw this.reason
    const begun = this.begin(call)
    if (!isPromise(begun)) return begun
    return new Promise<T>((resolve, reject) => {
      this.listener = reject
      // a handler may return a promise of any make
      Promise.resolve(begun).then(
        (value) => {
          this.ended()
          resolve(value)
        },
        (thrown) => {
          this.ended()
          reject(tangible(thrown))
        },
      )
      if (this.reason) reject(this.reason)
    })
  }

  private begin<T>(call: () => Eventually<T>): Eventually<T> {
    try {
      const begun = call()
      if (!isPromise(begun)) this.ended()
      return begun
    } catch (thrown) {
      this.ended()
      throw tangible(thrown)
    }
  }

  /** What is called next gets a signal of its own. */
  private ended(): void {
    this.listener = undefined
    this.controller = undefined
  }
}

/** The attempt took longer than the action's `timeoutMs`. */
export class AttemptTimeout extends Error {
  readonly code = 'ATTEMPT_TIMED_OUT'
  constructor(timeoutMs: number) {
    super(`The attempt took longer than ${timeoutMs} ms`)
  }
}

/** The run was canceled or went to another worker: whatever the handler still does, nothing of it is recorded. */
export class RunRevoked extends Error {
  readonly code = 'RUN_REVOKED'
  constructor() {
    super('The run was canceled, or went to another worker')
  }
}

/** The server stops and does not wait longer. */
export class WorkerStopped extends Error {
  readonly code = 'WORKER_STOPPED'
  constructor() {
    super('The worker was stopped before the handler returned')
  }
}
