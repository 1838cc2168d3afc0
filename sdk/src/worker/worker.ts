import { DoError } from '../errors.ts'
import { configure } from '../options.ts'
import { aborted, sleep } from '../time.ts'
import { delayAfter } from './backoff.ts'
import { Calls, type Registered } from './calls.ts'
import { registrationInput, serveActions, wholeNumber } from './configure.ts'
import type { AnySchemas, WorkerOptions } from './options.ts'
import { Session, type SessionParts, type Tell } from './session.ts'
import type { AttemptRef } from './wire.ts'

/** What telling the server of the stop may take, repetitions included. Without it the lease expires by itself. */
const STOP_MS = 5_000
const MAX_TIMER_MS = 2_147_483_647

/**
 * Executes actions in this process for an action.do server somewhere else: it claims runs over GraphQL, and nothing has to reach it.
 * It begins with `start()`, and ends with `stop()`, for good.
 */
export class Worker<PS = AnySchemas, RS = AnySchemas> {
  /** Resolves after `stop()`; rejects with a `DoError` when the worker can never go on, since its key or an action is refused. */
  readonly stopped: Promise<void>
  readonly #parts: SessionParts
  readonly #registration: object
  readonly #shutdownMs: number
  /** Aborted by `stop()`. */
  readonly #halt = new AbortController()
  #session: Session | undefined
  #id: string | undefined
  #starting: Promise<void> | undefined
  #serving: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  /** Throws a `TypeError` or `RangeError` that names what makes no sense. */
  constructor(options: WorkerOptions<PS, RS>) {
    const { name = 'worker', concurrency = 10, shutdownMs = 10_000, apiKey, url, fetch, headers } = options
    if (typeof name !== 'string' || name === '') throw new TypeError('Worker: name must be a text')
    const actions = serveActions(options.actions)
    this.#registration = registrationInput(name, actions.values())
    this.#shutdownMs = wholeNumber('Worker: shutdownMs', shutdownMs, 0, MAX_TIMER_MS)
    this.#parts = {
      calls: new Calls(configure({ apiKey, url, fetch, headers })),
      actions,
      concurrency: wholeNumber('Worker: concurrency', concurrency, 1),
      tell: tellOf(options.onError),
    }
    this.stopped = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // who wants to know of it waits for it; nobody has to
    this.stopped.catch(() => {})
  }

  /** What the server calls this worker; another when it had to register anew; `undefined` before it has registered. */
  get id(): string | undefined {
    return this.#id
  }

  /**
   * Registers and begins to claim. Repeats a registration that gets lost for some seconds, and then rejects with a `DoError`; also
   * where the key or an action is refused, or with `ABORTED` when `stop()` is called meanwhile. After that it may be called again.
   */
  start(): Promise<void> {
    if (this.#stopping) return Promise.reject(new Error('Worker: it was stopped; make another one'))
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /**
   * Claims nothing more, lets functions finish for `shutdownMs`, then aborts their signals, reports what it still can, and hands the
   * rest to other workers. Takes 10 s more than `shutdownMs` at most. Never rejects.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #start(): Promise<void> {
    const registered = await this.#parts.calls.register(this.#registration, this.#halt.signal)
    if (this.#halt.signal.aborted) {
      await this.#leave(registered.id, [])
      throw aborted(this.#halt.signal)
    }
    this.#serving = this.#serve(registered).catch((error: unknown) => this.#reject(error))
  }

  /** From one registration to the next, until there is no next. */
  async #serve(first: Registered): Promise<void> {
    for (let registered: Registered | undefined = first; registered; registered = await this.#registerAnew()) {
      if (this.#halt.signal.aborted) return this.#leave(registered.id, [])
      this.#id = registered.id
      this.#session = new Session(this.#parts, registered)
      await this.#session.over
      this.#session = undefined
    }
  }

  /** `undefined` when the worker was stopped. Rejects where the server will never take it. */
  async #registerAnew(): Promise<Registered | undefined> {
    const { calls, tell } = this.#parts
    for (let failures = 1; !this.#halt.signal.aborted; failures++) {
      try {
        return await calls.registerOnce(this.#registration, this.#halt.signal)
      } catch (error) {
        if (this.#halt.signal.aborted) return undefined
        tell(error, 'register')
        if (error instanceof DoError && REFUSALS.has(error.code)) throw error
        await sleep(delayAfter(error, failures), this.#halt.signal)
      }
    }
    return undefined
  }

  async #stop(): Promise<void> {
    this.#halt.abort(new Error('the worker was stopped'))
    // whoever called start() hears of it
    await this.#starting?.catch(() => {})
    const session = this.#session
    if (session) {
      const holding = await session.close(this.#shutdownMs)
      await this.#leave(session.id, holding)
    }
    await this.#serving
    this.#resolve()
  }

  async #leave(id: string, holding: readonly AttemptRef[]): Promise<void> {
    await this.#parts.calls.stop(id, holding, STOP_MS).catch((error: unknown) => this.#parts.tell(error, 'stop'))
  }
}

/** The server has looked at the registration, and will not take it. */
const REFUSALS: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'INVALID_DEFINITION',
  'INVALID_INPUT',
  'BAD_USER_INPUT',
])

/** Whoever is told must not disturb the worker. */
function tellOf(onError: WorkerOptions['onError']): Tell {
  return (error, phase, runId) => {
    try {
      onError?.(error, { phase, ...(runId !== undefined && { runId }) })
    } catch {}
  }
}
