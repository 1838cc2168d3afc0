import { WorkerNotFoundError } from '../core/request-errors.ts'
import { definitionOf } from '../db/action-definitions.ts'
import type { Database } from '../db/client.ts'
import { liveRemoteWorker, liveRemoteWorkers, type RemoteWorker } from '../db/remote-workers.ts'
import type { RunRow } from '../db/rows.ts'
import { Recent } from '../executor/recent.ts'
import type { RegisteredAction, Registry } from '../executor/registry.ts'
import { catalogued } from '../executor/registry.ts'
import { asStepHasIt } from '../executor/workflow/begin-action.ts'
import type { Graphs } from '../executor/workflow/graphs.ts'
import { compensationOf } from '../executor/workflow/undo-run.ts'
import { remoteAction } from './remote-action.ts'

/** More of them are forgotten, and read again when they are asked for. */
const MAX_REMEMBERED = 1_000

/** How long a worker that was seen to live may be taken to live: one that does not is told so when it asks then. */
const KNOWN_MS = 5_000

/** How long an answer about all live workers may be used. */
const LIVE_MS = 1_000

/** The remote workers that this node knows, and the versions of actions that they have: neither ever changes. */
export class KnownWorkers {
  private readonly workers = new Map<string, { readonly worker: RemoteWorker; readonly atMs: number }>()
  private readonly versions = new Map<string, Promise<RegisteredAction | undefined>>()
  /** Those whose lease is valid. */
  readonly live: Recent<RemoteWorker[]>
  private readonly db: Database
  private readonly registry: Registry
  private readonly graphs: Graphs

  constructor(db: Database, registry: Registry, graphs: Graphs) {
    this.db = db
    this.live = new Recent(LIVE_MS, () => liveRemoteWorkers(db))
    this.registry = registry
    this.graphs = graphs
  }

  /** A worker that may live; whether its lease is valid, the statement says that gives it something. @throws WorkerNotFoundError */
  async get(id: string): Promise<RemoteWorker> {
    const known = this.workers.get(id)
    if (known && performance.now() - known.atMs < KNOWN_MS) return known.worker
    const worker = await liveRemoteWorker(this.db, id)
    if (!worker) {
      this.forget(id)
      throw new WorkerNotFoundError(id)
    }
    this.keep(worker)
    return worker
  }

  /** Whether a worker that this node knows has an action in this version. */
  hasVersion(id: string, { name, version }: RegisteredAction): boolean {
    return `${this.workers.get(id)?.worker.actions[name]}` === version
  }

  /** A worker was registered. */
  remember(worker: RemoteWorker): void {
    this.keep(worker)
    this.live.forget()
  }

  private keep(worker: RemoteWorker): void {
    if (this.workers.size >= MAX_REMEMBERED) this.workers.clear()
    this.workers.set(worker.id, { worker, atMs: performance.now() })
  }

  forget(id: string): void {
    this.workers.delete(id)
    this.live.forget()
  }

  /** An action in one of its versions: the present one, or one that an older worker has; `undefined` where there is none. */
  async version(name: string, version: number): Promise<RegisteredAction | undefined> {
    const current = this.registry.get(name)
    if (current?.remote && current.version === `${version}`) return current
    const key = `${version} ${name}`
    const known = this.versions.get(key) ?? this.read(name, version)
    if (this.versions.size >= MAX_REMEMBERED) this.versions.clear()
    this.versions.set(key, known)
    known.catch(() => this.versions.delete(key))
    return await known
  }

  private async read(name: string, version: number): Promise<RegisteredAction | undefined> {
    const definition = await definitionOf(this.db, name, version)
    if (!definition || !('kind' in definition)) return undefined
    return catalogued(remoteAction(name, version, definition))
  }

  /** The action of a run as the worker has it, with what its step changes; `undefined` where nobody knows it any more. */
  async actionOf(
    run: RunRow,
    worker: Pick<RemoteWorker, 'actions'> | undefined,
  ): Promise<RegisteredAction | undefined> {
    const version = worker?.actions[run.name]
    const action = version === undefined ? this.registry.get(run.name) : await this.version(run.name, version)
    if (!action) return undefined
    if (run.undoes !== null) return compensationOf(action)
    if (run.parentGraph === null || run.stepKey === null) return action
    const spec = (await this.graphs.compiled(run.parentGraph)).steps.get(run.stepKey)
    return spec ? asStepHasIt(action, spec) : action
  }
}
