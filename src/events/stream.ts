import { hasEnded } from '../core/status.ts'
import type { Database } from '../db/client.ts'
import { type StreamPage, streamPages } from '../db/reads/events.ts'
import type { EventRow } from '../db/rows.ts'
import { EventStream } from './event-stream.ts'
import type { Hub } from './hub.ts'
import { groupByPage } from './stream-pages.ts'

/** What a subscription is broken with when the server stops. */
export class ServerStoppingError extends Error {
  constructor() {
    super('The server stops; reconnect and go on from the last seq')
  }
}

/** After a failed read, e.g. while the database is away. */
const RETRY_MS = 500

/** The streams of one root, which are woken together. */
interface Watched {
  readonly streams: Set<EventStream>
  readonly unwatch: () => void
}

/**
 * The event streams of one node. Each names its cursor and is driven by: register for wake-ups, read what is after the
 * cursor, emit, wait. One query per node and tick serves all of them, and each `seq` is emitted once, in order, whatever was
 * missed in between.
 */
export class EventStreams {
  private readonly open = new Set<EventStream>()
  private readonly watched = new Map<string, Watched>()
  /** There may be more for them in the table, and they have taken what they had. */
  private readonly ready = new Set<EventStream>()
  private reading = false
  private readonly db: Database
  private readonly hub: Hub

  constructor(db: Database, hub: Hub) {
    this.db = db
    this.hub = hub
  }

  /**
   * Streams the events of a run after a cursor, and completes when in one snapshot the root has ended and everything has
   * been emitted. A child's stream is its root's, filtered.
   */
  subscribe(rootId: string, runId: string, after: number): EventStream {
    const stream = new EventStream(rootId, runId, after, this)
    this.open.add(stream)
    // registered before the first read, so that nothing falls in between
    this.watch(stream)
    this.wake(stream)
    return stream
  }

  /** Breaks every stream, so that its consumer reconnects elsewhere from its cursor. */
  stop(reason: Error): void {
    for (const stream of [...this.open]) {
      this.close(stream)
      stream.fail(reason)
    }
  }

  /** A consumer has taken everything: now it is read for. */
  emptied(stream: EventStream): void {
    if (stream.behind && this.open.has(stream)) this.makeReady(stream)
  }

  /** A consumer has left, or has everything. */
  close(stream: EventStream): void {
    this.open.delete(stream)
    this.ready.delete(stream)
    const watched = this.watched.get(stream.rootId)
    if (!watched?.streams.delete(stream) || watched.streams.size > 0) return
    watched.unwatch()
    this.watched.delete(stream.rootId)
  }

  private watch(stream: EventStream): void {
    const watched = this.watched.get(stream.rootId)
    if (watched) {
      watched.streams.add(stream)
      return
    }
    const streams = new Set([stream])
    const unwatch = this.hub.watch(stream.rootId, () => {
      for (const one of streams) this.wake(one)
    })
    this.watched.set(stream.rootId, { streams, unwatch })
  }

  private wake(stream: EventStream): void {
    stream.behind = true
    if (stream.held === 0) this.makeReady(stream)
  }

  /** A read begins with the next turn of the event loop, for everybody whom this turn wakes. */
  private makeReady(stream: EventStream): void {
    this.ready.add(stream)
    if (this.reading) return
    this.reading = true
    void this.readOn()
  }

  private async readOn(): Promise<void> {
    while (this.ready.size > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      // one that was woken while it was read for holds its page by now: it comes back once it has taken that
      const streams = [...this.ready].filter(({ held }) => held === 0)
      this.ready.clear()
      for (const stream of streams) stream.behind = false
      await this.read(streams).catch(() => {
        for (const stream of streams) if (this.open.has(stream)) this.wake(stream)
        return new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      })
    }
    this.reading = false
  }

  private async read(streams: readonly EventStream[]): Promise<void> {
    const groups = groupByPage(streams)
    const pages = await streamPages(this.db, groups)
    for (const [i, { members }] of groups.entries()) {
      const page = pages[i]
      if (page) for (const stream of members) if (this.open.has(stream)) this.feed(stream, page)
    }
  }

  private feed(stream: EventStream, { status, lastSeq, events }: StreamPage): void {
    const after = stream.cursor
    const last = events.at(-1)?.seq ?? after
    if (last > after) stream.feed(eventsFor(stream, events), last)
    if (stream.cursor < lastSeq) this.wake(stream)
    else if (hasEnded(status)) {
      this.close(stream)
      stream.complete()
    }
  }
}

/** One array is shared by all who are at its begin and want the whole root. */
function eventsFor({ rootId, runId, cursor }: EventStream, events: readonly EventRow[]): readonly EventRow[] {
  const isWhole = runId === rootId
  if (isWhole && events[0]?.seq === cursor + 1) return events
  return events.filter((event) => event.seq > cursor && (isWhole || event.runId === runId))
}
