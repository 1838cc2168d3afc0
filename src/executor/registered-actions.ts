import type { Logger } from 'pino'
import { actionsFingerprint, type StoredAction, storedActions } from '../db/action-definitions.ts'
import type { Database } from '../db/client.ts'
import { registeredHttpAction } from '../http-action/registered.ts'
import { remoteAction } from '../remote-worker/remote-action.ts'
import type { Action } from './define-action.ts'
import { Loop } from './loop.ts'
import type { Registry } from './registry.ts'

/** What the node does when other actions are registered than before. */
export interface RegisteredActionEvents {
  /** This node has them now. */
  registered(): Promise<void>
  /** The other nodes should look. */
  changed(): void
}

/** The actions that were registered over the API, by services' owners and by remote workers: what of them this node serves. */
export class RegisteredActions {
  private readonly refreshing: Loop
  private fingerprint = ''
  private underWay: Promise<void> | undefined
  private readonly db: Database
  private readonly registry: Registry
  private readonly log: Logger
  private readonly on: RegisteredActionEvents

  constructor(db: Database, registry: Registry, pollMs: number, log: Logger, on: RegisteredActionEvents) {
    this.db = db
    this.registry = registry
    this.log = log
    this.on = on
    this.refreshing = new Loop('looking for registered actions', log, async () => {
      await this.refresh()
      return pollMs * 2
    })
  }

  async start(): Promise<void> {
    await this.refresh()
    this.refreshing.wake()
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

  async stop(): Promise<void> {
    await this.refreshing.stop()
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
