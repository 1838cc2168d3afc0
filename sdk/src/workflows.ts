import type { App, WorkflowName, WorkflowResult } from './definitions.ts'
import { START_WORKFLOW } from './documents.ts'
import { returned } from './errors.ts'
import { isoTime, type StartDefinitionInput, type StartInput } from './inputs.ts'
import { submit } from './submit.ts'
import type { Transport } from './transport.ts'
import type { RunAnswer } from './types.ts'

type Loose = Omit<StartDefinitionInput, 'name'> & { name?: string }

/** `do.workflow` */
export class WorkflowClient<A extends App> {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Starts a workflow: one that the server has registered, by `name`, or one given as a `definition`. The answer is the
   * run as it stands, also when `waitMs` runs out; `run.wait` gives its outcome. `error` says why nothing was started, or
   * why that is not known (`NETWORK_ERROR`, `TIMEOUT`: repeat the call with the error's `idempotencyKey`).
   */
  start<const N extends WorkflowName<A>>(input: StartInput<A, N>): Promise<RunAnswer<WorkflowResult<A, N>>>
  start(input: StartDefinitionInput): Promise<RunAnswer>
  async start(input: unknown): Promise<RunAnswer<never>> {
    const { name, definition, params, runAt, waitMs, idempotencyKey, signal } = input as Loose
    try {
      const { run, replayed } = await submit<never>(this.#transport, START_WORKFLOW, {
        input: { name, definition, params, runAt: isoTime(runAt) },
        idempotencyKey,
        signal,
        waitMs: waitMs ?? 0,
      })
      return { run, runId: run.id, replayed, error: undefined }
    } catch (thrown) {
      const error = returned(thrown)
      return { run: undefined, runId: error.runId, replayed: undefined, error }
    }
  }
}
