import type { ActionName, ActionResult, App } from './definitions.ts'
import { EXECUTE_ACTION } from './documents.ts'
import { returned } from './errors.ts'
import { type ExecuteInput, given, isoTime } from './inputs.ts'
import { failureOf } from './outcome.ts'
import { type Accepted, submit } from './submit.ts'
import type { Transport } from './transport.ts'
import type { ExecuteOutcome } from './types.ts'

/** What the input is once it is known to make sense; the types of the app say nothing about the wire. */
type Loose = ExecuteInput<App, never> & { name: string; params?: unknown }

/** `do.action` */
export class ActionClient<A extends App> {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Executes an action and waits for its outcome. Never throws for an outcome, a refusal or a lost connection: they are in
   * `error`. A run that failed gives its own code; one that did not end in time `TIMEOUT` with the `runId` to go on with.
   *
   * A request that gets lost is repeated with the same idempotency key, so that it executes once at most. Without
   * `idempotencyKey` each call has a key of its own.
   */
  async execute<const N extends ActionName<A>>(input: ExecuteInput<A, N>): Promise<ExecuteOutcome<ActionResult<A, N>>> {
    const { timeout } = this.#transport.config
    try {
      const { name, params, priority, runAt, waitMs, idempotencyKey, signal } = given<Loose>(input)
      const at = isoTime(runAt)
      const due = at !== undefined && Date.parse(at) > Date.now() + timeout
      const accepted = await submit<ActionResult<A, N>>(this.#transport, EXECUTE_ACTION, {
        input: { name, params, priority, runAt: at },
        idempotencyKey,
        signal,
        waitMs: waitMs ?? (due ? 0 : timeout),
      })
      return outcomeOf(accepted)
    } catch (thrown) {
      const error = returned(thrown)
      return { result: undefined, error, runId: error.runId, run: undefined, replayed: undefined }
    }
  }
}

function outcomeOf<R>({ run, replayed, interrupted }: Accepted<R>): ExecuteOutcome<R> {
  const runId = run.id
  const failure = failureOf(run)
  // a success may be null, and its type says so
  if (!failure) return { result: run.result as R, error: undefined, runId, run, replayed }
  const error = interrupted && interrupted.code !== 'TIMEOUT' ? interrupted : failure
  return { result: undefined, error, runId, run, replayed }
}
