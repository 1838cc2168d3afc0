import type { App, WorkflowName, WorkflowResult } from './definitions.ts'
import { DEFINE_WORKFLOW, START_WORKFLOW } from './documents.ts'
import { returned } from './errors.ts'
import { given, isoTime, type LookOptions, type StartDefinitionInput, type StartInput } from './inputs.ts'
import { look } from './look.ts'
import { accepted } from './outcome.ts'
import { submit } from './submit.ts'
import type { Transport } from './transport.ts'
import type { DefineAnswer, DefinedWorkflow, RunAnswer } from './types.ts'

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
    try {
      const { name, definition, params, runAt, waitMs, idempotencyKey, signal } = given<Loose>(input)
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

  /**
   * Stores a workflow given as data under its name, for `start`; runs under way keep the graph that they have. Repeating it
   * changes nothing, so that a lost request is repeated without a key. `INVALID_DEFINITION` brings `issues`.
   */
  async define(definition: unknown, { signal }: LookOptions = {}): Promise<DefineAnswer> {
    try {
      const data = await look(this.#transport, DEFINE_WORKFLOW, { input: { definition } }, signal)
      const { workflow } = accepted<{ workflow: DefinedWorkflow }>(data, 'defineWorkflow', 'workflow')
      return { workflow, error: undefined }
    } catch (thrown) {
      return { workflow: undefined, error: returned(thrown) }
    }
  }
}
