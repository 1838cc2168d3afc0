import { bucketOf } from '../core/ids.ts'
import { isSettled } from '../core/status.ts'
import type { Database } from '../db/client.ts'
import { byBucketAndId, GroupCommit } from '../db/group-commit.ts'
import { runsByIds } from '../db/reads/runs.ts'
import type { RunRow } from '../db/rows.ts'
import type { Hub } from '../events/hub.ts'

/**
 * Callers that wait for the outcome of runs. Who ends a run on this node hands its new state over; of runs that end
 * elsewhere one query reads the states of all that are waited for, however many callers there are.
 */
export class Waits {
  private readonly reads: GroupCommit<{ bucket: number; id: string }, RunRow | undefined>
  private readonly hub: Hub
  private readonly stopping = new AbortController()

  constructor(db: Database, hub: Hub) {
    this.hub = hub
    this.reads = new GroupCommit<{ bucket: number; id: string }, RunRow | undefined>(
      (asked) =>
        runsByIds(
          db,
          asked.map(({ id }) => id),
        ),
      byBucketAndId,
    )
  }

  /** The run as it stands; concurrent callers share a query. */
  read(id: string): Promise<RunRow | undefined> {
    return this.reads.submit({ bucket: bucketOf(id), id })
  }

  /** Begins to listen for a run's outcome: before it is submitted, so that nothing is missed. */
  listen(id: string, rootId = id): RunWait {
    return new RunWait(id, rootId, this.hub, (runId) => this.read(runId), this.stopping.signal)
  }

  /** Every wait ends now, with the run as it stands. */
  stop(): void {
    this.stopping.abort()
  }
}

/** One caller's wait. */
export class RunWait {
  private latest: RunRow | undefined
  private notify: (() => void) | undefined
  private woken = false
  private readonly unwatch: () => void
  private readonly id: string
  private readonly read: (id: string) => Promise<RunRow | undefined>
  private readonly stopping: AbortSignal

  constructor(
    id: string,
    rootId: string,
    hub: Hub,
    read: (id: string) => Promise<RunRow | undefined>,
    stopping: AbortSignal,
  ) {
    this.id = id
    this.read = read
    this.stopping = stopping
    this.unwatch = hub.watch(rootId, (run) => {
      if (run?.id === id) this.latest = run
      else this.woken = true
      this.notify?.()
    })
  }

  /** The run once it has settled, or as it stands after `ms`. */
  async settled(run: RunRow, ms: number): Promise<RunRow> {
    let now = newer(run, this.latest)
    const until = performance.now() + ms
    while (!isSettled(now.status) && !this.stopping.aborted) {
      const left = until - performance.now()
      if (left <= 0) break
      await this.wake(left)
      now = newer(now, this.latest)
      if (isSettled(now.status) || !this.woken) continue
      this.woken = false
      now = newer(now, await this.read(this.id))
    }
    return now
  }

  close(): void {
    this.unwatch()
  }

  private wake(ms: number): Promise<void> {
    if (this.woken || (this.latest && isSettled(this.latest.status))) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.stopping.removeEventListener('abort', done)
        this.notify = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.stopping.addEventListener('abort', done, { once: true })
      this.notify = done
    })
  }
}

/** `seq` grows with every change, so the higher one is the newer one. */
function newer(a: RunRow, b: RunRow | undefined): RunRow {
  return b && b.lastSeq > a.lastSeq ? b : a
}
