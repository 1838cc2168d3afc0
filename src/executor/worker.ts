import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import type { Database } from '../db/client.ts'
import type { RunRow } from '../db/rows.ts'
import { claimRuns } from '../db/transitions/claim-runs.ts'
import { RunRevoked, WorkerStopped } from './abort.ts'
import { Attempt, type AttemptParts } from './attempt.ts'
import { type Execution, Executions } from './executions.ts'
import { HeldRuns } from './held-runs.ts'
import { Loop } from './loop.ts'
import { once } from './once.ts'
import type { ExecutorOptions } from './options.ts'
import { AttemptEnds } from './persist.ts'
import type { Place } from './place.ts'
import type { RegisteredAction, Registry } from './registry.ts'
import { runAction } from './run-action.ts'
import { type Room, Slots } from './slots.ts'
import { WorkerLease } from './worker-lease.ts'
import { entryQueues } from './workflow/queues.ts'
import type { Workflows } from './workflow/workflows.ts'

/** What a worker tells the rest of its node, and asks of it. */
export interface WorkerEvents {
  /** A run changed; as it now stands. */
  changed(run: RunRow): void
  /** A run went to another hand; how it stands is for the database to say. */
  superseded(rootId: string): void
  /** Whether a submission of this run is under way on this node. */
  isSubmitting(runId: string): boolean
  /** A run will be tried later: look at the times again. */
  delayed(): void
}

/** After a claim that brought something, others may have held what is left for a moment. */
const LOOK_AGAIN_MS = 50

/** Executes runs: claims them, keeps them under its lease, and lets go of them in good order. */
export class Worker implements Place {
  readonly slots: Slots
  readonly executions = new Executions()
  private readonly held: HeldRuns
  private readonly giveUp = new AbortController()
  private readonly claiming: Loop
  private readonly lease: WorkerLease
  private readonly watching: Loop
  private readonly parts: AttemptParts
  private accepting = false
  private stopping = false
  /** There may be claimable work that was left for want of room. */
  private hungry = false
  private readonly db: Database
  private readonly registry: Registry
  private readonly options: ExecutorOptions
  private readonly log: Logger
  private readonly on: WorkerEvents
  private readonly workflows: Workflows

  constructor(
    db: Database,
    registry: Registry,
    workflows: Workflows,
    options: ExecutorOptions,
    log: Logger,
    on: WorkerEvents,
  ) {
    this.workflows = workflows
    this.db = db
    this.registry = registry
    this.options = options
    this.log = log
    this.on = on
    this.slots = new Slots(options.concurrency)
    this.held = new HeldRuns(db, registry, workflows, this.executions, options.maxLosses, on.isSubmitting, log)
    const ends = new AttemptEnds(db, workflows, log)
    this.parts = { giveUp: this.giveUp.signal, db, workflows, ends, options, log }
    this.claiming = new Loop('claiming runs', log, () => this.claim())
    this.lease = new WorkerLease(db, options.leaseMs, log, {
      queues: () => this.queues(),
      lost: (id) => this.lost(id),
      afterwards: () => {
        this.accepting = !this.stopping
      },
    })
    this.watching = new Loop('checking what is held', log, () => this.reconcile())
  }

  /** Changes when the lease is lost. */
  get id(): string {
    return this.lease.id
  }

  async start(): Promise<void> {
    await this.lease.start()
    this.accepting = true
    for (const loop of [this.watching, this.claiming]) loop.wake()
  }

  /** What it takes runs from. */
  private queues(): string[] {
    return [...this.registry.local().map(({ name }) => name), ...entryQueues(this.registry)]
  }

  /** Other actions are registered than before. */
  async queuesChanged(): Promise<void> {
    this.wake()
    await this.lease.queuesChanged()
  }

  /** Takes a slot for a run that is about to be submitted as RUNNING; false when it has to queue. */
  reserve(action: RegisteredAction): boolean {
    if (!this.accepting || action.remote || !this.slots.take(action)) return false
    this.executions.reserve()
    return true
  }

  /** Gives back what was reserved and not used. */
  release(action: RegisteredAction): void {
    this.slots.give(action.name)
    this.executions.unreserve()
    if (this.hungry) this.wake()
  }

  /** Executes a run that was submitted under a reservation, whose slot it takes over. */
  launchReserved(run: RunRow, action: RegisteredAction): void {
    this.launch(run, action)
    this.executions.unreserve()
  }

  holds(runId: string): boolean {
    return this.executions.has(runId)
  }

  /** Work was queued. */
  wake(): void {
    if (this.accepting) this.claiming.wake()
  }

  /** A run may have been taken away from this worker: its handler is told. */
  verify(runIds: readonly string[]): Promise<void> {
    return this.held.verify(runIds)
  }

  /**
   * Stops claiming, lets handlers finish for `graceMs`, aborts the others, and leaves what is still held to other workers
   * at once.
   */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true
    this.accepting = false
    await this.claiming.stop()
    await this.executions.idle(graceMs)
    this.executions.abortAll(new WorkerStopped())
    // what was aborted is recorded now; a tenth of the time must do
    await this.executions.idle(graceMs / 10 + 100)
    this.giveUp.abort(new WorkerStopped())
    await Promise.all([this.lease.stop(), this.watching.stop()])
    await this.lease.giveUp()
  }

  /** Executes a run that the database has given to this worker; its slot is taken. */
  private launch(run: RunRow, action: RegisteredAction): void {
    if (this.giveUp.signal.aborted) {
      this.slots.give(action.name)
      this.handBack(run)
    } else void this.execute(this.executions.begin(run), action)
  }

  /** Never rejects: nobody waits for it. */
  private async execute(execution: Execution, action: RegisteredAction): Promise<void> {
    const { run } = execution
    const yieldSlot = once(() => this.slots.give(action.name))
    const attempt = new Attempt(execution, action, this.parts, yieldSlot)
    try {
      const now = await runAction(attempt)
      // of a step, whoever committed its tree has told
      if (now?.parentId === null) this.on.changed(now)
      else if (!now) this.on.superseded(run.rootId)
      if (now?.status === 'SCHEDULED') this.on.delayed()
      if (now?.status === 'QUEUED') this.hungry = true
    } catch (error) {
      this.held.notRecorded(run.id)
      attempt.log.error({ err: error }, 'the end of the attempt could not be recorded')
    } finally {
      this.executions.end(execution)
      yieldSlot()
      if (this.hungry) this.wake()
    }
  }

  /** The answer to a submission came when the worker had stopped already: its handler never begins. */
  private handBack(run: RunRow): void {
    this.held
      .handOn(run.workerId ?? this.id, [run.id])
      .catch((err) => this.log.warn({ err, run: showRunId(run.id) }, 'a run was not given back; its lease hands it on'))
  }

  private async claim(): Promise<number> {
    const { pollMs } = this.options
    if (!this.accepting) return pollMs
    // what has begun goes before what is new
    const local = this.registry.local()
    const queues = this.slots.roomFor(local).map(({ name, slots }) => ({ queue: name, slots }))
    const steps = await this.workflows.claim(queues, this.slots.free)
    const names = this.slots.roomFor(local)
    this.hungry = names.length < local.length
    if (names.length === 0) return pollMs
    const total = this.slots.hold()
    const claimed = await this.claimUpTo(total, names)
    for (const run of claimed) {
      const action = this.registry.get(run.name)
      if (action) this.launch(run, action)
      this.on.changed(run)
    }
    if (claimed.length === 0 && steps === 0) return pollMs
    this.hungry = true
    return claimed.length === total && this.slots.free > 0 ? 0 : LOOK_AGAIN_MS
  }

  private async claimUpTo(total: number, names: readonly Room[]): Promise<RunRow[]> {
    let claimed: RunRow[] = []
    this.held.claims.begun++
    try {
      claimed = await claimRuns(this.db, { workerId: this.id, total, names })
    } finally {
      this.held.claims.ended++
      this.slots.fill(claimed.map(({ name }) => name))
    }
    return claimed
  }

  /** Others may have its runs: nothing is accepted until the worker is registered anew. */
  private lost(id: string): void {
    this.log.warn({ worker: id, runs: this.executions.size }, 'the lease was lost; its handlers are aborted')
    this.accepting = false
    this.executions.abortAll(new RunRevoked())
  }

  private async reconcile(): Promise<number> {
    for (const run of await this.held.reconcile(this.id)) {
      this.on.superseded(run.rootId)
      this.hungry = true
    }
    if (this.hungry) this.wake()
    return this.options.pollMs
  }
}
