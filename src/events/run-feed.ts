import { ServiceUnavailableError } from '../core/request-errors.ts'
import type { Database } from '../db/client.ts'
import { durableNow, rootsChangedSince } from '../db/reads/events.ts'
import { runById } from '../db/reads/runs.ts'
import { RECENT_MS } from '../db/recent-changes.ts'
import type { RunRow } from '../db/rows.ts'
import type { Hub } from './hub.ts'

/** A commit may become visible so much later than the time that its events carry. */
const OVERLAP_MS = 10_000

/** A consumer that does not keep up is told of no more roots than this; the rest it looks up when it has taken these. */
const MAX_PENDING = 10_000

/** One who watches all runs. */
interface Listener {
  tell(rootId: string): void
  /** What changed in between cannot be found any more. */
  lost(): void
}

/**
 * Which roots changed, from now on, for whoever watches all of them. Hints bring most at once; a poll over the newest
 * events finds what they missed, only while somebody watches.
 */
export class RunFeed {
  private readonly listeners = new Set<Listener>()
  private readonly seen = new Map<string, number>()
  private since: Date | undefined
  private unwatch: (() => void) | undefined
  private polling = false
  private readonly db: Database
  private readonly hub: Hub

  constructor(db: Database, hub: Hub) {
    this.db = db
    this.hub = hub
  }

  /** The roots that change, each as it is when it is taken: fast successive changes of one root may come as one. */
  async subscribe(): Promise<AsyncIterableIterator<RunRow>> {
    const pending = new Set<string>()
    const delivered = new Map<string, number>()
    let wake: (() => void) | undefined
    let done = false
    let overflowed: Date | undefined
    let lost: ServiceUnavailableError | undefined
    const listener: Listener = {
      tell: (rootId) => {
        if (pending.size < MAX_PENDING) pending.add(rootId)
        else overflowed ??= new Date(this.db.clock.nowMs() - OVERLAP_MS)
        wake?.()
      },
      lost: () => {
        this.remove(listener)
        lost = new ServiceUnavailableError(
          undefined,
          'Changes were missed meanwhile: subscribe anew, then read the list.',
        )
        wake?.()
      },
    }
    const lookUpTheRest = async (since: Date) => {
      overflowed = undefined
      if (this.isForgotten(since)) return listener.lost()
      for (const { rootId } of await rootsChangedSince(this.db, since)) pending.add(rootId)
    }
    await this.add(listener)
    const iterator: AsyncIterableIterator<RunRow> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        for (;;) {
          if (done) return { done, value: undefined }
          if (lost) throw lost
          const [rootId] = pending
          if (rootId !== undefined) {
            pending.delete(rootId)
            const run = await runById(this.db, rootId)
            if (!run || run.lastSeq <= (delivered.get(rootId) ?? 0)) continue
            remember(delivered, rootId, run.lastSeq)
            return { done: false, value: run }
          }
          if (overflowed) await lookUpTheRest(overflowed)
          else
            await new Promise<void>((resolve) => {
              wake = resolve
            })
        }
      },
      return: async () => {
        done = true
        this.remove(listener)
        wake?.()
        return { done: true, value: undefined }
      },
    }
    return iterator
  }

  /** Looks for what the hints missed. Called by the node's poll. */
  async poll(): Promise<void> {
    if (this.polling || this.listeners.size === 0 || !this.since) return
    this.polling = true
    try {
      const now = await durableNow(this.db)
      const since = new Date(this.since.getTime() - OVERLAP_MS)
      if (this.isForgotten(since)) {
        for (const listener of [...this.listeners]) listener.lost()
        return
      }
      const changed = await rootsChangedSince(this.db, since)
      const fresh = changed.filter(({ rootId, seq }) => seq > (this.seen.get(rootId) ?? 0))
      this.seen.clear()
      for (const { rootId, seq } of changed) this.seen.set(rootId, seq)
      this.since = now
      for (const { rootId } of fresh) this.tell(rootId)
    } finally {
      this.polling = false
    }
  }

  private isForgotten(since: Date): boolean {
    return this.db.clock.nowMs() - since.getTime() > RECENT_MS
  }

  private async add(listener: Listener): Promise<void> {
    if (this.listeners.size === 0) {
      // what changed before now is not news
      this.since = await durableNow(this.db)
      this.seen.clear()
      for (const { rootId, seq } of await rootsChangedSince(this.db, new Date(this.since.getTime() - OVERLAP_MS)))
        this.seen.set(rootId, seq)
      this.unwatch ??= this.hub.watchAll((rootIds) => {
        for (const rootId of rootIds) this.tell(rootId)
      })
    }
    this.listeners.add(listener)
  }

  private remove(listener: Listener): void {
    this.listeners.delete(listener)
    if (this.listeners.size > 0) return
    this.unwatch?.()
    this.unwatch = undefined
    this.since = undefined
  }

  private tell(rootId: string): void {
    for (const listener of this.listeners) listener.tell(rootId)
  }
}

/** Keeps the newest entries only. */
function remember(delivered: Map<string, number>, rootId: string, seq: number): void {
  delivered.delete(rootId)
  delivered.set(rootId, seq)
  if (delivered.size <= MAX_PENDING) return
  for (const oldest of delivered.keys()) {
    delivered.delete(oldest)
    return
  }
}
