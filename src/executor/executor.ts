import type { Logger } from 'pino'
import { isSettled, type RunKind } from '../core/status.ts'
import type { Database } from '../db/client.ts'
import { liveQueues } from '../db/leases.ts'
import { durableNow } from '../db/reads/events.ts'
import type { RunRow } from '../db/rows.ts'
import { Hints } from '../events/hints.ts'
import { type Hint, Hub } from '../events/hub.ts'
import { RunFeed } from '../events/run-feed.ts'
import { EventStreams, ServerStoppingError } from '../events/stream.ts'
import { HttpActions } from '../http-action/http-actions.ts'
import { RemoteWorkers } from '../remote-worker/remote-workers.ts'
import { Loop } from './loop.ts'
import type { ExecutorOptions } from './options.ts'
import type { Place } from './place.ts'
import { QueueGauge } from './queue-gauge.ts'
import { Recent } from './recent.ts'
import { RegisteredActions } from './registered-actions.ts'
import type { RegisteredAction, Registry } from './registry.ts'
import { Submissions } from './submissions.ts'
import { Sweeps } from './sweeps.ts'
import { Waits } from './wait.ts'
import { Worker } from './worker.ts'
import type { Advance } from './workflow/advance.ts'
import { LinkedRuns } from './workflow/linked-runs.ts'
import { isUnentered } from './workflow/queues.ts'
import { asRunRow, rootRun } from './workflow/run-row.ts'
import { Workflows } from './workflow/workflows.ts'

/** In the place of a name: a node stopped and left what it held to the others, or registered another action. */
const LOOK_AT_EVERYTHING = '*'

/** The same: something waits for the code of its graph. */
const ANY_GRAPH = 'graph:'

/** What the metrics count: actions, and workflows as a whole. */
function isCounted({ kind, parentId }: { kind: RunKind; parentId: string | null }): boolean {
  return kind === 'ACTION' || (kind === 'WORKFLOW' && parentId === null)
}

/** One node: it takes requests, executes runs (unless its role says otherwise) and streams what happens. */
export class Executor {
  readonly hub = new Hub()
  readonly submissions: Submissions
  readonly waits: Waits
  readonly gauge: QueueGauge
  readonly streams: EventStreams
  readonly feed: RunFeed
  readonly workflows: Workflows
  private readonly linked: LinkedRuns
  readonly worker: Worker
  readonly httpActions: HttpActions
  readonly registered: RegisteredActions
  readonly remoteWorkers: RemoteWorkers
  /** Absent where notifications are off. */
  private readonly hints: Hints | undefined
  /** Every queue that a live worker takes runs from. */
  readonly liveQueues: Recent<Set<string>>
  private settledListener: ((run: RunRow) => void) | undefined
  private readonly sweeps: Sweeps
  private readonly listening: Loop
  readonly db: Database
  readonly registry: Registry
  readonly options: ExecutorOptions
  readonly log: Logger

  constructor(db: Database, registry: Registry, options: ExecutorOptions, log: Logger) {
    this.db = db
    this.registry = registry
    this.options = options
    this.log = log
    this.liveQueues = new Recent(1_000, () => liveQueues(db))
    this.submissions = new Submissions(db, options.unavailableMs)
    this.waits = new Waits(db, this.hub)
    this.gauge = new QueueGauge(db, options.queueLimit)
    this.httpActions = new HttpActions(db, this.hub, registry, options, log)
    this.registered = new RegisteredActions(db, registry, options.pollMs, log, {
      registered: async () => void (options.executes && (await this.worker.queuesChanged())),
      changed: () => this.hints?.send({ queued: [LOOK_AT_EVERYTHING] }),
    })
    this.streams = new EventStreams(db, this.hub)
    this.feed = new RunFeed(db, this.hub)
    this.workflows = new Workflows(db, registry, options, log, {
      worker: () => this.worker,
      changed: (advance) => this.treeChanged(advance),
      queued: (queues) => this.queuedIn(queues),
      revoked: (runIds) => this.taken(runIds),
      timed: () => this.scheduled(),
      linked: (link) => void this.linked.follow(link),
    })
    this.linked = new LinkedRuns(this, log)
    this.worker = new Worker(db, registry, this.workflows, options, log, {
      changed: (run) => this.announce(run),
      superseded: (rootId) => this.hub.announce(rootId),
      isSubmitting: (runId) => this.submissions.isUnderWay(runId) || this.workflows.isBeginning(runId),
      delayed: () => this.sweeps.wakeDue(),
    })
    this.remoteWorkers = new RemoteWorkers(this, log)
    this.hints = options.notify ? new Hints(db, this.worker.id, log) : undefined
    this.sweeps = new Sweeps(this, log)
    this.listening = new Loop('looking for changes', log, () => this.look())
  }

  async start(): Promise<void> {
    this.db.clock.observe(await durableNow(this.db))
    this.hub.connect((hint) => this.hints?.send(hint))
    await this.hints?.listen(
      (hint) => this.heard(hint),
      () => this.lookAtEverything(),
    )
    this.listening.wake()
    await this.registered.start()
    await this.workflows.start(this.options.executes)
    if (!this.options.executes) return
    await this.worker.start()
    this.linked.start()
    this.sweeps.wake()
  }

  private heard({ roots, queued, canceled }: Hint): void {
    this.hub.heard(roots)
    if (queued.includes(LOOK_AT_EVERYTHING)) this.lookAtEverything()
    else if (queued.length > 0) this.wakeFor(queued)
    this.verify(canceled)
  }

  /** Room for a run of this action, here or at a remote worker that waits; `undefined`: it has to queue. */
  reserve(action: RegisteredAction): Place | undefined {
    if (action.remote) return this.remoteWorkers.reserve(action)
    return this.worker.reserve(action) ? this.worker : undefined
  }

  /** A run changed: whoever watches it learns of it, here and on the other nodes. */
  announce(run: RunRow): void {
    this.hub.announce(run.rootId, run)
    if (isSettled(run.status)) this.settledListener?.(run)
    if (run.status === 'QUEUED') this.queued(run.name)
  }

  /** A run is back in the queue, or in it for the first time, by no word of its worker's. */
  requeued({ rootId, name }: Pick<RunRow, 'rootId' | 'name'>): void {
    this.hub.announce(rootId)
    this.queued(name)
  }

  /** Calls `listener` with each run that comes to rest on this node. */
  onSettled(listener: (run: RunRow) => void): void {
    this.settledListener = listener
  }

  /** Work was queued: this node's worker and the others' look. */
  queued(name: string): void {
    this.worker.wake()
    this.remoteWorkers.wake([name])
    this.hints?.send({ queued: [name] })
  }

  /** The same for queues of trees: of actions, and of runs that wait for somebody who has their graph. */
  private queuedIn(queues: Iterable<string>): void {
    const names = [...queues]
    this.wakeFor(names)
    // the hash of a graph is long, and whoever hears of it looks at all of them
    this.hints?.send({ queued: names.map((name) => (isUnentered(name) ? ANY_GRAPH : name)) })
  }

  private wakeFor(queues: readonly string[]): void {
    this.remoteWorkers.wake(queues)
    if (!this.options.executes) return
    this.worker.wake()
    if (queues.some(isUnentered)) this.workflows.wake()
  }

  private treeChanged({ tree }: Advance): void {
    const { root } = tree
    const moving = !isSettled(root.status)
    // who waits for a workflow is told of it as it began, and as it came to rest
    this.hub.announce(root.id, moving && !tree.isNew ? undefined : rootRun(root), moving)
    for (const { runId, to } of tree.events) {
      const row = tree.get(runId)
      if (isSettled(to) && row.status === to && isCounted(row)) this.settledListener?.(asRunRow(row, null))
    }
  }

  /** A run was scheduled for later. */
  scheduled(): void {
    if (this.options.executes) this.sweeps.wakeDue()
  }

  /** Running runs were taken from their workers (a cancel, say): their handlers are told, wherever they run. */
  taken(runIds: readonly string[]): void {
    this.hints?.send({ canceled: [...runIds] })
    this.verify(runIds)
  }

  private verify(runIds: readonly string[]): void {
    this.remoteWorkers.taken(runIds)
    this.worker.verify(runIds).catch((err) => this.log.warn({ err }, 'a cancel was not looked at; the poll will'))
  }

  /** Something may have been missed (a lost connection, a moved clock): everybody looks again. */
  lookAtEverything(): void {
    this.hub.wakeEveryone()
    this.registered.wake()
    this.worker.wake()
    this.remoteWorkers.wakeAll()
    if (!this.options.executes) return
    this.workflows.wake()
    this.sweeps.wake()
  }

  /** Takes up nothing new and lets go of what runs. @param graceMs how long handlers may go on. */
  async drain(graceMs: number): Promise<void> {
    await Promise.all([this.sweeps.stop(), this.workflows.stop(), this.linked.stop()])
    await Promise.all([this.httpActions.drain(), this.registered.stop()])
    this.remoteWorkers.drain()
    if (this.options.executes) {
      await this.worker.stop(graceMs).catch((err) => this.log.warn({ err }, 'the lease was not given up; it expires'))
      this.hints?.send({ queued: [LOOK_AT_EVERYTHING] })
    }
    this.waits.stop()
  }

  /** Ends what is left: the streams break off, so that their consumers go on elsewhere. */
  async stop(): Promise<void> {
    this.streams.stop(new ServerStoppingError())
    await this.listening.stop()
    await this.httpActions.stop()
    this.remoteWorkers.stop()
    await this.hints?.stop()
  }

  /** Finds what no hint told of. With hints on, it rarely has anything to find. */
  private async look(): Promise<number> {
    if (this.hub.watching) this.hub.wakeEveryone()
    await this.feed.poll()
    return this.options.notify ? this.options.pollMs * 2 : this.options.pollMs / 4
  }
}
