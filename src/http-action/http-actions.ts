import type { Logger } from 'pino'
import { actionsFingerprint, type StoredAction, storedActions } from '../db/action-definitions.ts'
import type { Database } from '../db/client.ts'
import type { Hub } from '../events/hub.ts'
import { WorkerStopped } from '../executor/abort.ts'
import type { Action } from '../executor/define-action.ts'
import { Loop } from '../executor/loop.ts'
import type { ExecutorOptions } from '../executor/options.ts'
import type { Registry } from '../executor/registry.ts'
import { remoteAction } from '../remote-worker/remote-action.ts'
import { CallbackWaits } from './callback-waits.ts'
import { Callbacks } from './callbacks.ts'
import { withHandlers } from './handlers.ts'
import { HttpCalls } from './http-calls.ts'
import { registeredHttpAction } from './registered.ts'

/** What the node does when other actions are registered than before. */
export interface HttpActionEvents {
  /** This node has them now. */
  registered(): Promise<void>
  /** The other nodes should look. */
  changed(): void
}

/** The actions of one node that services execute: how they are called, and which of them were registered over the API. */
export class HttpActions {
  readonly callbacks: Callbacks
  private readonly calls: HttpCalls
  private readonly waits: CallbackWaits
  private readonly refreshing: Loop
  private fingerprint = ''
  private underWay: Promise<void> | undefined
  private baseUrlKnown: (url: string) => void = () => {}
  private readonly db: Database
  private readonly registry: Registry
  private readonly log: Logger
  private readonly on: HttpActionEvents

  constructor(db: Database, hub: Hub, registry: Registry, options: ExecutorOptions, log: Logger, on: HttpActionEvents) {
    this.db = db
    this.registry = registry
    this.log = log
    this.on = on
    this.calls = new HttpCalls({ allow: options.httpActionsAllow, maxAnswerBytes: options.maxResultBytes })
    this.waits = new CallbackWaits(db, hub, log)
    const baseUrl = new Promise<string>((resolve) => {
      this.baseUrlKnown = resolve
    })
    this.callbacks = new Callbacks(db, hub, this.waits, baseUrl)
    this.refreshing = new Loop('looking for registered actions', log, async () => {
      await this.refresh()
      return options.pollMs * 2
    })
    registry.prepareWith((action) => withHandlers(action, this.calls, this.callbacks))
  }

  async start(): Promise<void> {
    await this.refresh()
    this.refreshing.wake()
  }

  /** Where services reach this server. */
  reachedAt(baseUrl: string): void {
    this.baseUrlKnown(baseUrl.replace(/\/$/, ''))
  }

  /** Other actions may be registered now. */
  wake(): void {
    this.refreshing.wake()
  }

  /** Something was registered, changed or removed here: this node heeds it when it resolves, the others soon. */
  async announce(): Promise<void> {
    await this.refresh()
    this.on.changed()
  }

  /** Registers what the database has, before it resolves. */
  private async refresh(): Promise<void> {
    // one that is under way may have read before the change
    await this.underWay?.catch(() => {})
    this.underWay ??= this.refreshNow().finally(() => {
      this.underWay = undefined
    })
    await this.underWay
  }

  /** Lets go of those that wait for a callback, and looks for nothing more. */
  async drain(): Promise<void> {
    await Promise.all([this.waits.stop(new WorkerStopped()), this.refreshing.stop()])
  }

  async stop(): Promise<void> {
    await this.calls.close()
  }

  private async refreshNow(): Promise<void> {
    const fingerprint = await actionsFingerprint(this.db)
    if (fingerprint === this.fingerprint) return
    const stored = await storedActions(this.db)
    this.registry.replaceRegistered(stored.flatMap((each) => this.build(() => actionOf(each), each.name)))
    this.fingerprint = fingerprint
    await this.on.registered()
  }

  /** One that another version of the server accepted, and this one does not, takes nothing from the others. */
  private build(make: () => Action, name: string): Action[] {
    try {
      return [make()]
    } catch (err) {
      this.log.error({ err, action: name }, 'a registered action cannot be served')
      return []
    }
  }
}

/** An action that was registered over the API, by whoever executes it. */
function actionOf({ name, version, definition, secrets }: StoredAction): Action {
  return 'kind' in definition
    ? remoteAction(name, version, definition)
    : registeredHttpAction(name, version, definition, secrets)
}
