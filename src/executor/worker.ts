import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import type { Database } from '../db/client.ts'
import { expireLease, forgetWorker, registerWorker, renewLease, runsHeldBy } from '../db/leases.ts'
import { runsByIds } from '../db/reads/runs.ts'
import type { RunRow } from '../db/rows.ts'
import { claimRuns } from '../db/transitions/claim-runs.ts'
import { RunRevoked, WorkerStopped } from './abort.ts'
import { Loop } from './loop.ts'
import type { ExecutorOptions } from './options.ts'
import { AttemptEnds } from './persist.ts'
import { endLost } from './recover-lost-runs.ts'
import type { RegisteredAction, Registry } from './registry.ts'
import { runAction } from './run-action.ts'
import { Slots } from './slots.ts'

/** A run under way on this worker. */
interface Execution {
  readonly run: RunRow
  readonly abort: AbortController
  done: Promise<void>
}

/** What a worker tells the rest of its node. */
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

/** Executes runs: claims them, keeps them under its lease, and lets go of them in good order. */
export class Worker {
  /** Changes when the lease is lost: an expired lease is never renewed. */
  id = newWorkerId()
  readonly slots: Slots
  private readonly inFlight = new Map<string, Execution>()
  private readonly giveUp = new AbortController()
  private readonly claiming: Loop
  private readonly leasing: Loop
  private readonly watching: Loop
  private readonly ends: AttemptEnds
  private accepting = false
  /** There may be claimable work that was left for want of room. */
  private hungry = false
  /** Claims begun and ended so far. */
  private readonly claims = { begun: 0, ended: 0 }
  /** Runs that the database gave to this worker and that it does not execute, with the claim that may yet bring them. */
  private strays = new Map<string, number>()
  private readonly db: Database
  private readonly registry: Registry
  private readonly options: ExecutorOptions
  private readonly log: Logger
  private readonly on: WorkerEvents

  constructor(db: Database, registry: Registry, options: ExecutorOptions, log: Logger, on: WorkerEvents) {
    this.db = db
    this.registry = registry
    this.options = options
    this.log = log
    this.on = on
    this.slots = new Slots(options.concurrency)
    this.ends = new AttemptEnds(db)
    this.claiming = new Loop('claiming runs', log, () => this.claim())
    this.leasing = new Loop('renewing the lease', log, () => this.renew())
    this.watching = new Loop('checking what is held', log, () => this.reconcile())
  }

  async start(): Promise<void> {
    await registerWorker(this.db, this.id, this.options.leaseMs)
    this.accepting = true
    for (const loop of [this.leasing, this.watching, this.claiming]) loop.wake()
  }

  /** Takes a slot for a run that is about to be submitted as RUNNING; false when it has to queue. */
  reserve(action: RegisteredAction): boolean {
    return this.accepting && this.slots.take(action)
  }

  /** Gives back a slot that was reserved and not used. */
  release(action: RegisteredAction): void {
    this.slots.give(action.name)
    if (this.hungry) this.claiming.wake()
  }

  holds(runId: string): boolean {
    return this.inFlight.has(runId)
  }

  get running(): number {
    return this.inFlight.size
  }

  /** Executes a run that the database has given to this worker; its slot is taken. */
  launch(run: RunRow, action: RegisteredAction): void {
    const abort = new AbortController()
    const execution: Execution = { run, abort, done: Promise.resolve() }
    this.inFlight.set(run.id, execution)
    execution.done = this.execute(execution, action)
  }

  /** Work was queued. */
  wake(): void {
    if (this.accepting) this.claiming.wake()
  }

  /** A run may have been taken away from this worker: its handler is told. */
  async verify(runIds: readonly string[]): Promise<void> {
    const mine = runIds.filter((id) => this.inFlight.has(id))
    if (mine.length === 0) return
    const rows = await runsByIds(this.db, mine)
    mine.forEach((id, i) => {
      const execution = this.inFlight.get(id)
      const row = rows[i]
      if (execution && (row?.status !== 'RUNNING' || row.fence !== execution.run.fence))
        execution.abort.abort(new RunRevoked())
    })
  }

  /**
   * Stops claiming, lets handlers finish for `graceMs`, aborts the others, and leaves what is still held to other workers
   * at once. The database may be away: nothing here waits for it longer than a few seconds.
   */
  async stop(graceMs: number): Promise<void> {
    this.accepting = false
    await this.claiming.stop()
    await this.settle(graceMs)
    for (const { abort } of this.inFlight.values()) abort.abort(new WorkerStopped())
    // what was aborted is recorded now; a tenth of the time must do
    await this.settle(graceMs / 10 + 100)
    this.giveUp.abort(new WorkerStopped())
    await Promise.all([this.leasing.stop(), this.watching.stop()])
    await expireLease(this.db, this.id)
    await forgetWorker(this.db, this.id)
  }

  private async settle(ms: number): Promise<void> {
    const all = Promise.all([...this.inFlight.values()].map(({ done }) => done))
    if (this.inFlight.size > 0) await Promise.race([all, sleep(ms)])
  }

  private async execute(execution: Execution, action: RegisteredAction): Promise<void> {
    const { run, abort } = execution
    const { db, ends, options } = this
    const log = this.log.child({ run: showRunId(run.id), action: run.name, attempt: run.attempt })
    try {
      const now = await runAction({ run, action, abort, giveUp: this.giveUp.signal, db, ends, options, log })
      if (now) this.on.changed(now)
      else this.on.superseded(run.rootId)
      if (now?.status === 'SCHEDULED') this.on.delayed()
      if (now?.status === 'QUEUED') this.hungry = true
    } catch (error) {
      log.error({ err: error }, 'the attempt could not be recorded; its lease hands it on')
    } finally {
      this.inFlight.delete(run.id)
      this.slots.give(action.name)
      if (this.hungry) this.wake()
    }
  }

  private async claim(): Promise<number> {
    const { pollMs } = this.options
    if (!this.accepting) return pollMs
    const actions = this.registry.all()
    const names = actions
      .map((action) => ({ name: action.name, slots: this.slots.freeFor(action) }))
      .filter(({ slots }) => slots > 0)
    this.hungry = names.length < actions.length
    if (names.length === 0) return pollMs
    const workerId = this.id
    const total = this.slots.hold()
    let claimed: (RunRow & { at: Date })[] = []
    this.claims.begun++
    try {
      claimed = await claimRuns(this.db, { workerId, total, names })
    } finally {
      this.claims.ended++
      this.slots.fill(claimed.map(({ name }) => name))
    }
    for (const { at, ...run } of claimed) {
      const action = this.registry.get(run.name)
      if (action) this.launch(run, action)
      this.on.changed(run)
    }
    if (claimed.length > 0) this.hungry = true
    return claimed.length === total && this.slots.free > 0 ? 0 : pollMs
  }

  private async renew(): Promise<number> {
    const { leaseMs } = this.options
    if (!(await renewLease(this.db, this.id, leaseMs))) await this.registerAnew()
    return leaseMs / 3
  }

  /** The lease expired while this process could not renew it: others may have its runs. */
  private async registerAnew(): Promise<void> {
    const lost = [...this.inFlight.values()]
    this.log.warn({ worker: this.id, runs: lost.length }, 'the lease was lost; its handlers are aborted')
    for (const { abort } of lost) abort.abort(new RunRevoked())
    const id = newWorkerId()
    await registerWorker(this.db, id, this.options.leaseMs)
    this.id = id
  }

  /**
   * Compares what the database says this worker holds with what it executes. What it executes and does not hold is aborted.
   * What it holds and does not execute, although every claim and submission that could still bring it has been answered,
   * came with an answer that was lost on the way: it is handed on.
   */
  private async reconcile(): Promise<number> {
    const { pollMs, maxLosses } = this.options
    const before = [...this.inFlight.values()]
    const held = new Map((await runsHeldBy(this.db, this.id)).map(({ id, fence }) => [id, fence]))
    await this.verify(before.filter(({ run }) => held.get(run.id) !== run.fence).map(({ run }) => run.id))
    const unknown = [...held.keys()].filter((id) => !this.inFlight.has(id) && !this.on.isSubmitting(id))
    const strays = unknown.map((id) => [id, this.strays.get(id) ?? this.claims.begun] as const)
    const sure = strays.filter(([id, claim]) => this.strays.has(id) && this.claims.ended >= claim)
    this.strays = new Map(strays)
    if (sure.length > 0) {
      const ids = sure.map(([id]) => id)
      await this.handOn(ids, maxLosses)
    }
    return pollMs
  }

  private async handOn(ids: readonly string[], maxLosses: number): Promise<void> {
    const rows = (await runsByIds(this.db, ids)).filter(
      (row) => row !== undefined && row.workerId === this.id && !this.inFlight.has(row.id),
    )
    for (const run of await endLost(this.db, this.registry, maxLosses, rows as RunRow[])) {
      this.log.warn({ run: showRunId(run.id) }, 'handed on a run that this worker held without executing it')
      this.on.changed(run)
      this.hungry = true
    }
    if (this.hungry) this.wake()
  }
}

function newWorkerId(): string {
  return `${hostname().slice(0, 40)}:${process.pid}:${randomBytes(4).toString('hex')}`
}
