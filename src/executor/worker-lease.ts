import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Database } from '../db/client.ts'
import { expireLease, forgetWorker, recordQueues, registerWorker, renewLease } from '../db/leases.ts'
import { Loop } from './loop.ts'

/** What the lease tells its worker, and asks of it. */
export interface LeaseEvents {
  /** What the worker takes runs from. */
  queues(): string[]
  /** It expired while this process could not renew it: others may have the worker's runs. */
  lost(id: string): void
  /** The worker was registered anew, or the attempt failed and is made again. */
  afterwards(): void
}

/** The lease of this process's worker. An expired one is never renewed: the worker is registered anew, under another id. */
export class WorkerLease {
  private current = newWorkerId()
  private readonly renewing: Loop
  private readonly db: Database
  private readonly leaseMs: number
  private readonly on: LeaseEvents

  constructor(db: Database, leaseMs: number, log: Logger, on: LeaseEvents) {
    this.db = db
    this.leaseMs = leaseMs
    this.on = on
    this.renewing = new Loop('renewing the lease', log, () => this.renew())
  }

  get id(): string {
    return this.current
  }

  async start(): Promise<void> {
    await registerWorker(this.db, this.id, this.leaseMs, this.on.queues())
    this.renewing.wake()
  }

  /** The worker takes runs from other queues than before. */
  queuesChanged(): Promise<void> {
    return recordQueues(this.db, this.id, this.on.queues())
  }

  async stop(): Promise<void> {
    await this.renewing.stop()
  }

  /** Leaves what the worker still has to others, at once. */
  async giveUp(): Promise<void> {
    await expireLease(this.db, this.id)
    await forgetWorker(this.db, this.id)
  }

  private async renew(): Promise<number> {
    if (!(await renewLease(this.db, this.id, this.leaseMs))) await this.registerAnew()
    return this.leaseMs / 3
  }

  private async registerAnew(): Promise<void> {
    this.on.lost(this.id)
    const id = newWorkerId()
    try {
      await registerWorker(this.db, id, this.leaseMs, this.on.queues())
      this.current = id
    } finally {
      this.on.afterwards()
    }
  }
}

function newWorkerId(): string {
  return `${hostname().slice(0, 40)}:${process.pid}:${randomBytes(4).toString('hex')}`
}
