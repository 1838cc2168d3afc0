import type { Logger } from 'pino'
import { millisecondsUntilNextDue } from '../db/reads/next-due.ts'
import { forgetChanges } from '../db/recent-changes.ts'
import { enqueueDueRuns } from '../db/transitions/enqueue-due-runs.ts'
import type { Executor } from './executor.ts'
import { Loop } from './loop.ts'
import { recoverLostRuns } from './recover-lost-runs.ts'

/** Often enough for the table of recent changes to grow by little in between. */
const FORGET_MS = 60_000

/** What a node that executes does by the clock, for all nodes: lets runs become due, and hands on those of lost workers. */
export class Sweeps {
  private readonly due: Loop
  private readonly recovery: Loop
  private readonly forgetting: Loop
  private readonly executor: Executor

  constructor(executor: Executor, log: Logger) {
    this.executor = executor
    this.due = new Loop('enqueuing due runs', log, () => this.enqueueDue())
    this.recovery = new Loop('recovering lost runs', log, () => this.recover())
    this.forgetting = new Loop('forgetting what changed', log, () => this.forget())
  }

  /** Begins, and looks again. */
  wake(): void {
    this.due.wake()
    this.recovery.wake()
    this.forgetting.wake()
  }

  /** A run will be tried later: look at the times again. */
  wakeDue(): void {
    this.due.wake()
  }

  async stop(): Promise<void> {
    await Promise.all([this.due.stop(), this.recovery.stop(), this.forgetting.stop()])
  }

  private async enqueueDue(): Promise<number> {
    const { db, workflows, options } = this.executor
    for (const run of await enqueueDueRuns(db)) this.executor.requeued(run)
    await workflows.enqueueDue()
    const nextMs = await millisecondsUntilNextDue(db)
    return Math.max(0, Math.min(options.pollMs, nextMs ?? Number.POSITIVE_INFINITY))
  }

  private async recover(): Promise<number> {
    const { registry, db, workflows, remoteWorkers, options, log } = this.executor
    for (const run of await recoverLostRuns(db, registry, workflows, options.maxLosses, log))
      this.executor.requeued(run)
    await remoteWorkers.endOverdue()
    return options.leaseMs / 3
  }

  private async forget(): Promise<number> {
    await forgetChanges(this.executor.db)
    return FORGET_MS
  }
}
