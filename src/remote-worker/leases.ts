import { WorkerNotFoundError } from '../core/request-errors.ts'
import type { Database } from '../db/client.ts'
import { dropHolds } from '../db/holds.ts'
import { attemptsHeldBy, type HeldAttempt, renewRemoteLease } from '../db/remote-workers.ts'
import { recordHeartbeats } from '../db/transitions/record-heartbeats.ts'
import type { ExecutorOptions } from '../executor/options.ts'

/** An attempt as its worker names it. */
export interface AttemptName {
  readonly runId: string
  readonly attempt: number
}

export interface Renewal {
  readonly workerId: string
  /** What it has in hand; with progress to record where that is not undefined. */
  readonly attempts: readonly (AttemptName & { readonly heartbeat?: unknown })[]
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

/** What a renewal found. */
export interface Renewed {
  /** Runs of which the worker has the attempt no longer. */
  readonly lost: string[]
  /** It has attempts that it did not name. */
  readonly missed: boolean
}

/** An answer with a claimed run may be on its way for so long. */
const ON_ITS_WAY_MS = 5_000

/** Renews the leases of remote workers, and tells them what was taken away from them. */
export class Leases {
  /** Whom to wake when a run is taken, by run. */
  private readonly watchers = new Map<string, Set<() => void>>()
  private readonly waiting = new Set<() => void>()
  private stopped = false
  private readonly db: Database
  private readonly options: ExecutorOptions

  constructor(db: Database, options: ExecutorOptions) {
    this.db = db
    this.options = options
  }

  /** Runs may have been taken from their workers. */
  taken(runIds: readonly string[]): void {
    for (const id of runIds) for (const wake of this.watchers.get(id) ?? []) wake()
  }

  /** Every renewal that waits is answered. */
  stop(): void {
    this.stopped = true
    for (const wake of this.waiting) wake()
  }

  /**
   * Renews a worker's lease. Where it may wait, it answers sooner when an attempt is taken from the worker; no later than after a third
   * of the lease, so that the next renewal comes in time. @throws WorkerNotFoundError
   */
  async renew(renewal: Renewal): Promise<Renewed> {
    const { workerId, attempts, signal } = renewal
    const until = performance.now() + Math.min(renewal.waitMs, this.options.leaseMs / 3)
    if (!(await renewRemoteLease(this.db, workerId, this.options.leaseMs))) throw new WorkerNotFoundError(workerId)
    await dropHolds(this.db, workerId)
    await this.recordProgress(renewal)
    for (;;) {
      const waiting = this.watch(attempts, until, signal)
      try {
        const found = compare(attempts, await attemptsHeldBy(this.db, workerId))
        const over = this.stopped || signal?.aborted || performance.now() >= until
        if (found.lost.length > 0 || found.missed || over) return found
        await waiting.woken
      } finally {
        waiting.close()
      }
    }
  }

  private async recordProgress({ workerId, attempts }: Renewal): Promise<void> {
    const beating = attempts.filter(({ heartbeat }) => heartbeat !== undefined)
    if (beating.length === 0) return
    const held = new Map((await attemptsHeldBy(this.db, workerId)).map((each) => [each.id, each]))
    await recordHeartbeats(
      this.db,
      beating.flatMap(({ runId, attempt, heartbeat }) => {
        const run = held.get(runId)
        return run?.attempt === attempt ? [{ ...run, progress: heartbeat }] : []
      }),
    )
  }

  private watch(attempts: readonly AttemptName[], until: number, signal: AbortSignal | undefined) {
    let wake: () => void = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    // where nobody tells, it looks
    const leftMs = until - performance.now()
    const timer = setTimeout(wake, Math.max(0, this.options.notify ? leftMs : Math.min(leftMs, this.options.pollMs)))
    signal?.addEventListener('abort', wake)
    this.waiting.add(wake)
    for (const { runId } of attempts)
      this.watchers.set(runId, (this.watchers.get(runId) ?? new Set<() => void>()).add(wake))
    const close = () => {
      clearTimeout(timer)
      this.waiting.delete(wake)
      signal?.removeEventListener('abort', wake)
      for (const { runId } of attempts) {
        const wakes = this.watchers.get(runId)
        wakes?.delete(wake)
        if (wakes?.size === 0) this.watchers.delete(runId)
      }
    }
    return { woken, close }
  }
}

function compare(named: readonly AttemptName[], held: readonly HeldAttempt[]): Renewed {
  const attempts = new Map(held.map(({ id, attempt }) => [id, attempt]))
  const names = new Set(named.map(nameOf))
  const unnamed = held.filter(({ id, attempt }) => !names.has(nameOf({ runId: id, attempt })))
  return {
    lost: named.filter(({ runId, attempt }) => attempts.get(runId) !== attempt).map(({ runId }) => runId),
    missed: unnamed.some(({ ageMs }) => ageMs > ON_ITS_WAY_MS),
  }
}

/** An attempt in one word. */
export function nameOf({ runId, attempt }: AttemptName): string {
  return `${runId} ${attempt}`
}
