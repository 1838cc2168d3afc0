import { CANCEL_RUN, RETRY_RUN, type RunMutation, SIGNAL_RUN } from './documents.ts'
import { returned, withContext } from './errors.ts'
import type { CancelOptions, RetryOptions, SignalOptions, WaitOptions, WatchOptions } from './inputs.ts'
import { failureOf } from './outcome.ts'
import { submit } from './submit.ts'
import { now } from './time.ts'
import type { Transport } from './transport.ts'
import type { FoundRun, Outcome, Run, RunAnswer, RunEvent, RunRef } from './types.ts'
import { readRun, waitForRun } from './wait.ts'
import { watchRun } from './watch.ts'

/**
 * `do.run`: look at runs and change their course. Every method takes a run's id or a run out of an earlier answer. Only
 * `watch` throws; the others give what went wrong as `error`. `retry`, `cancel` and `signal` repeat a lost request under one
 * idempotency key, so that they take effect once.
 */
export class RunClient {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The run as it stands; `RUN_NOT_FOUND` when there is none. */
  async get<R = unknown>(ref: RunRef<R>, options: { signal?: AbortSignal | undefined } = {}): Promise<FoundRun<R>> {
    const id = idOf(ref)
    try {
      const run = await readRun<R>(this.#transport, id, now() + this.#transport.config.timeout, options.signal)
      return { run, error: undefined }
    } catch (thrown) {
      return { run: undefined, error: withContext(returned(thrown), { runId: id }) }
    }
  }

  /**
   * Waits for the outcome, as `execute` gives it; `TIMEOUT` when the time runs out first. It settles too when the run has
   * become `INDETERMINATE`, which only a person or a probe resolves.
   */
  async wait<R = unknown>(ref: RunRef<R>, options: WaitOptions = {}): Promise<Outcome<R>> {
    const id = idOf(ref)
    const timeout = options.timeout ?? this.#transport.config.timeout
    try {
      const run = await waitForRun<R>(this.#transport, id, timeout, options.signal)
      const error = failureOf(run)
      // a success may be null, and its type says so
      if (!error) return { result: run.result as R, error, runId: id, run }
      return { result: undefined, error, runId: id, run }
    } catch (thrown) {
      return { result: undefined, error: withContext(returned(thrown), { runId: id }), runId: id, run: undefined }
    }
  }

  /**
   * The transitions of the run and of its steps, each once and in order, from the beginning or after a cursor. A broken
   * connection is replaced and goes on where it was. The loop ends when the run has ended or `signal` aborts; leaving it
   * closes the connection at once. Throws a `DoError`: `RUN_NOT_FOUND`, `UNAUTHENTICATED`, or `NETWORK_ERROR` when the server
   * could not be reached at all or stays away for 5 minutes.
   */
  watch(ref: RunRef, options: WatchOptions = {}): AsyncIterableIterator<RunEvent> {
    return watchRun(this.#transport, idOf(ref), options.after ?? 0, options.signal)
  }

  /** Retries a run that has failed, was canceled or is indeterminate, or one step of it. `INVALID_TRANSITION` for any other. */
  retry<R = unknown>(ref: RunRef<R>, options: RetryOptions = {}): Promise<RunAnswer<R>> {
    return this.#change(RETRY_RUN, ref, options)
  }

  /** Cancels a run with all its steps. `INVALID_TRANSITION` when it has ended. */
  cancel<R = unknown>(ref: RunRef<R>, options: CancelOptions = {}): Promise<RunAnswer<R>> {
    return this.#change(CANCEL_RUN, ref, options)
  }

  /** Wakes the step that waits for this signal or approval. */
  signal<R = unknown>(ref: RunRef<R>, options: SignalOptions): Promise<RunAnswer<R>> {
    return this.#change(SIGNAL_RUN, ref, options)
  }

  async #change<R>(
    mutation: RunMutation,
    ref: RunRef<R>,
    options: RetryOptions | CancelOptions | SignalOptions,
  ): Promise<RunAnswer<R>> {
    const { idempotencyKey, signal, ...rest } = options
    const id = idOf(ref)
    try {
      const { run, replayed } = await submit<R>(this.#transport, mutation, {
        input: { ...rest, id },
        idempotencyKey,
        signal,
        waitMs: undefined,
      })
      return { run, runId: run.id, replayed, error: undefined }
    } catch (thrown) {
      const error = withContext(returned(thrown), { runId: id })
      return { run: undefined, runId: id, replayed: undefined, error }
    }
  }
}

function idOf(ref: string | Run): string {
  return typeof ref === 'string' ? ref : ref.id
}
