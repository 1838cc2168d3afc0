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
  private readonly open = new Set<RunWait>()
  private readonly hub: Hub
  private stopped = false

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

  /** Begins to listen for a run's outcome: before it is submitted, so that nothing is missed. Close it when done. */
  listen(id: string, rootId = id): RunWait {
    const wait = new RunWait(
      id,
      (runId) => this.read(runId),
      () => {
        unwatch()
        this.open.delete(wait)
      },
    )
    const unwatch = this.hub.watch(rootId, (run, moving) => {
      // whoever waits for a workflow need not look at each of its steps
      if (run || !(moving && id === rootId)) wait.wake(run)
    })
    this.open.add(wait)
    if (this.stopped) wait.stop()
    return wait
  }

  /** Every wait ends now, with the run as it stands. */
  stop(): void {
    this.stopped = true
    for (const wait of this.open) wait.stop()
  }
}

/** One caller's wait. */
export class RunWait {
  private latest: RunRow | undefined
  private notify: (() => void) | undefined
  /** The run may have changed since it was last looked at. */
  private woken = false
  private stopped = false
  private readonly id: string
  private readonly read: (id: string) => Promise<RunRow | undefined>
  readonly close: () => void

  constructor(id: string, read: (id: string) => Promise<RunRow | undefined>, close: () => void) {
    this.id = id
    this.read = read
    this.close = close
  }

  wake(run: RunRow | undefined): void {
    if (run?.id === this.id) this.latest = run
    else this.woken = true
    this.notify?.()
  }

  stop(): void {
    this.stopped = true
    this.notify?.()
  }

  /** What was told of the run since it was last asked for. */
  told(): RunRow | undefined {
    const told = this.latest
    this.latest = undefined
    return told
  }

  /** The run once it has settled, or as it stands after `ms`. */
  async settled(run: RunRow, ms: number): Promise<RunRow> {
    let now = this.take(run)
    const until = performance.now() + ms
    while (!isSettled(now.status) && !this.stopped) {
      const left = until - performance.now()
      if (left <= 0) break
      await this.sleep(left)
      now = this.take(now)
      if (isSettled(now.status) || !this.woken) continue
      this.woken = false
      // a database that is away is waited for like the run itself
      const read = await this.read(this.id).catch(() => undefined)
      if (read) now = newer(now, read)
    }
    return now
  }

  /** The newer of what is known and what was told since; what was told is taken once. */
  private take(known: RunRow): RunRow {
    const told = this.told()
    return told ? newer(known, told) : known
  }

  private sleep(ms: number): Promise<void> {
    if (this.woken || this.latest) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.notify = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.notify = done
    })
  }
}

/** `seq` grows with every change, so the higher one is the newer one. */
function newer(a: RunRow, b: RunRow): RunRow {
  return b.lastSeq > a.lastSeq ? b : a
}
