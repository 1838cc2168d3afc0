import { ActionClient } from './actions.ts'
import type { AnyApp, App } from './definitions.ts'
import { configure } from './options.ts'
import { RunClient } from './runs.ts'
import { Transport } from './transport.ts'
import type { DoOptions } from './types.ts'
import { WorkflowClient } from './workflows.ts'

/**
 * The client of an action.do server. It keeps no connection and no state of its own: make one and use it everywhere.
 *
 * `new Do<typeof app>()` takes the names, params and results from what the server was given.
 */
export class Do<A extends App = AnyApp> {
  readonly action: ActionClient<A>
  readonly workflow: WorkflowClient<A>
  readonly run: RunClient

  /**
   * @param options the API key, or all options. Throws a `TypeError` or `RangeError` when they make no sense.
   */
  constructor(options: string | DoOptions = {}) {
    const transport = new Transport(configure(typeof options === 'string' ? { apiKey: options } : options))
    this.action = new ActionClient<A>(transport)
    this.workflow = new WorkflowClient<A>(transport)
    this.run = new RunClient(transport)
  }
}
