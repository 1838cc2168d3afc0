import type { Logger } from 'pino'
import type { Database } from '../db/client.ts'
import type { Hub } from '../events/hub.ts'
import { WorkerStopped } from '../executor/abort.ts'
import type { ExecutorOptions } from '../executor/options.ts'
import type { Registry } from '../executor/registry.ts'
import { CallbackWaits } from './callback-waits.ts'
import { Callbacks } from './callbacks.ts'
import { withHandlers } from './handlers.ts'
import { HttpCalls } from './http-calls.ts'

/** How one node calls the services that execute actions, and hears of what they finish later. */
export class HttpActions {
  readonly callbacks: Callbacks
  private readonly calls: HttpCalls
  private readonly waits: CallbackWaits
  private baseUrlKnown: (url: string) => void = () => {}

  constructor(db: Database, hub: Hub, registry: Registry, options: ExecutorOptions, log: Logger) {
    this.calls = new HttpCalls({ allow: options.httpActionsAllow, maxAnswerBytes: options.maxResultBytes })
    this.waits = new CallbackWaits(db, hub, log)
    const baseUrl = new Promise<string>((resolve) => {
      this.baseUrlKnown = resolve
    })
    this.callbacks = new Callbacks(db, hub, this.waits, baseUrl, options.unavailableMs)
    registry.prepareWith((action) => withHandlers(action, this.calls, this.callbacks))
  }

  /** Where services reach this server. */
  reachedAt(baseUrl: string): void {
    this.baseUrlKnown(baseUrl.replace(/\/$/, ''))
  }

  /** Lets go of those that wait for a callback. */
  async drain(): Promise<void> {
    await this.waits.stop(new WorkerStopped())
  }

  async stop(): Promise<void> {
    await this.calls.close()
  }
}
