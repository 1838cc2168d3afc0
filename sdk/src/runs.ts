import * as documents from './documents.ts'
import { DoError, returned, withContext } from './errors.ts'
import type {
  CancelOptions,
  ForkOptions,
  LookOptions,
  PauseOptions,
  PreviewOptions,
  ResolveOptions,
  RetryOptions,
  SignalOptions,
  SkipOptions,
  WaitOptions,
  WatchOptions,
} from './inputs.ts'
import { readPreview, readSteps } from './look.ts'
import { failureOf } from './outcome.ts'
import { submit } from './submit.ts'
import { now } from './time.ts'
import type { Transport } from './transport.ts'
import type { FoundPreview, FoundRun, FoundSteps, Outcome, Run, RunAnswer, RunEvent, RunRef } from './types.ts'
import { readRun, waitForRun } from './wait.ts'
import { watchRun } from './watch.ts'

/**
 * `do.run`: look at runs and change their course. Every method takes a run's id or a run out of an earlier answer. Only
 * `watch` throws; the others give what went wrong as `error`. What changes a run repeats a lost request under one idempotency
 * key, so that it takes effect once.
 */
export class RunClient {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The run as it stands; `RUN_NOT_FOUND` when there is none. */
  async get<R = unknown>(ref: RunRef<R>, options: LookOptions = {}): Promise<FoundRun<R>> {
    try {
      const id = idOf(ref)
      const run = await readRun<R>(this.#transport, id, now() + this.#transport.config.timeout, options.signal)
      return { run, error: undefined }
    } catch (thrown) {
      return { run: undefined, error: about(ref, thrown) }
    }
  }

  /** The steps of a workflow run in the order of its graph, those of a list or loop after the step that they belong to. */
  async steps(ref: RunRef, options: LookOptions = {}): Promise<FoundSteps> {
    try {
      const id = idOf(ref)
      return { steps: await readSteps(this.#transport, id, options.signal), error: undefined }
    } catch (thrown) {
      return { steps: undefined, error: about(ref, thrown) }
    }
  }

  /** What `retry` would run again and what it would keep. Changes nothing; `error` is why the retry would be refused. */
  async preview(ref: RunRef, options: PreviewOptions = {}): Promise<FoundPreview> {
    try {
      const id = idOf(ref)
      return { preview: await readPreview(this.#transport, id, options.step, options.signal), error: undefined }
    } catch (thrown) {
      return { preview: undefined, error: about(ref, thrown) }
    }
  }

  /**
   * Waits for the outcome, as `execute` gives it; `TIMEOUT` when the time runs out first. It settles too when the run has
   * become `INDETERMINATE`, which only a person or a probe resolves.
   */
  async wait<R = unknown>(ref: RunRef<R>, options: WaitOptions = {}): Promise<Outcome<R>> {
    const timeout = options.timeout ?? this.#transport.config.timeout
    try {
      const id = idOf(ref)
      const run = await waitForRun<R>(this.#transport, id, timeout, options.signal)
      const error = failureOf(run)
      // a success may be null, and its type says so
      if (!error) return { result: run.result as R, error, runId: id, run }
      return { result: undefined, error, runId: id, run }
    } catch (thrown) {
      return { result: undefined, error: about(ref, thrown), runId: idIn(ref), run: undefined }
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
    return this.#change(documents.RETRY_RUN, ref, options)
  }

  /** Cancels a run with all its steps. `INVALID_TRANSITION` when it has ended. */
  cancel<R = unknown>(ref: RunRef<R>, options: CancelOptions = {}): Promise<RunAnswer<R>> {
    return this.#change(documents.CANCEL_RUN, ref, options)
  }

  /** Lets nothing new of a run begin; what runs comes to its end. Of a root only, `INVALID_TRANSITION` when it is paused. */
  pause<R = unknown>(ref: RunRef<R>, options: PauseOptions = {}): Promise<RunAnswer<R>> {
    return this.#change(documents.PAUSE_RUN, ref, options)
  }

  /** Lets a paused run go on. */
  resume<R = unknown>(ref: RunRef<R>, options: PauseOptions = {}): Promise<RunAnswer<R>> {
    return this.#change(documents.RESUME_RUN, ref, options)
  }

  /** Skips a step of a workflow: those after it go on with the result given. */
  skip<R = unknown>(ref: RunRef<R>, options: SkipOptions): Promise<RunAnswer<R>> {
    return this.#change(documents.SKIP_STEP, ref, options)
  }

  /** Says what became of an effect whose outcome was lost: of an `INDETERMINATE` run, or a step of one. */
  resolve<R = unknown>(ref: RunRef<R>, options: ResolveOptions): Promise<RunAnswer<R>> {
    return this.#change(documents.RESOLVE_RUN, ref, options)
  }

  /**
   * Starts a new run of the same graph and params that takes over what had succeeded before a step, and runs the step and
   * everything after it anew. The answer is the new run; of an error, `runId` is the run that was to be forked.
   */
  fork<R = unknown>(ref: RunRef<R>, options: ForkOptions): Promise<RunAnswer<R>> {
    return this.#change(documents.FORK_RUN, ref, options)
  }

  /** Wakes the step that waits longest for this signal, or is the decision on an approval. A signal nobody waits for is kept. */
  signal<R = unknown>(ref: RunRef<R>, options: SignalOptions): Promise<RunAnswer<R>> {
    return this.#change(documents.SIGNAL_RUN, ref, options)
  }

  async #change<R>(
    mutation: documents.RunMutation,
    ref: RunRef<R>,
    options: RetryOptions | CancelOptions | SignalOptions,
  ): Promise<RunAnswer<R>> {
    const { idempotencyKey, signal, ...rest } = options
    try {
      const id = idOf(ref)
      const { run, replayed } = await submit<R>(this.#transport, mutation, {
        input: { ...rest, id },
        idempotencyKey,
        signal,
        waitMs: undefined,
      })
      return { run, runId: run.id, replayed, error: undefined }
    } catch (thrown) {
      const error = about(ref, thrown)
      return { run: undefined, runId: idIn(ref), replayed: undefined, error }
    }
  }
}

/** What went wrong with a run. */
function about(ref: unknown, thrown: unknown): DoError {
  return withContext(returned(thrown), { runId: idIn(ref) })
}

/** Throws `INVALID_INPUT` for what plain JavaScript may give instead: the run of an answer that had none, say. */
function idOf(ref: string | Run): string {
  const id = idIn(ref)
  if (id !== undefined) return id
  throw new DoError('INVALID_INPUT', 'There is no run: give an id, or a run out of an earlier answer', {
    details: { path: 'id' },
  })
}

function idIn(ref: unknown): string | undefined {
  const id = typeof ref === 'object' && ref !== null ? (ref as Partial<Run>).id : ref
  return typeof id === 'string' ? id : undefined
}
