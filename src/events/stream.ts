import { hasEnded } from '../core/status.ts'
import type { Database } from '../db/client.ts'
import { type StreamPage, streamPages } from '../db/reads/events.ts'
import type { EventRow } from '../db/rows.ts'
import type { Hub } from './hub.ts'

/** What a subscription is broken with when the server stops. */
export class ServerStoppingError extends Error {
  constructor() {
    super('The server stops; reconnect and go on from the last seq')
  }
}

/** A consumer that does not keep up holds so many events; the rest stay in the table until it has room. */
const ROOM = 200

/** After a failed read, e.g. while the database is away. */
const RETRY_MS = 500

/** One subscriber of one stream: where it is, and what it has not yet taken. */
interface Subscriber {
  readonly rootId: string
  readonly runId: string
  cursor: number
  buffer: EventRow[]
  /** There may be more in the table. */
  dirty: boolean
  complete: boolean
  failure: unknown
  /** Settles the consumer's pending `next()`. */
  deliver: (() => void) | undefined
  readonly unwatch: () => void
}

/**
 * The event streams of one node. Each subscriber names its cursor and is driven by: register for wake-ups, read what is
 * after the cursor, emit, wait. One query per node and tick serves all of them, and each `seq` is emitted once, in order,
 * whatever was missed in between.
 */
export class EventStreams {
  private readonly dirty = new Set<Subscriber>()
  private readonly open = new Set<Subscriber>()
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
  subscribe(rootId: string, runId: string, after: number): AsyncIterableIterator<EventRow> {
    const subscriber: Subscriber = {
      rootId,
      runId,
      cursor: after,
      buffer: [],
      dirty: false,
      complete: false,
      failure: undefined,
      deliver: undefined,
      // registered before the first read, so that nothing falls in between
      unwatch: this.hub.watch(rootId, () => this.wake(subscriber)),
    }
    this.open.add(subscriber)
    this.wake(subscriber)
    return new EventIterator(subscriber, {
      taken: () => this.pump(),
      closed: () => this.close(subscriber),
    })
  }

  /** Breaks every stream, so that its consumer reconnects elsewhere from its cursor. */
  stop(reason: Error): void {
    for (const subscriber of [...this.open]) {
      subscriber.failure = reason
      this.close(subscriber)
      subscriber.deliver?.()
    }
  }

  private close(subscriber: Subscriber): void {
    subscriber.unwatch()
    this.open.delete(subscriber)
    this.dirty.delete(subscriber)
  }

  private wake(subscriber: Subscriber): void {
    this.dirty.add(subscriber)
    this.pump()
  }

  private pump(): void {
    if (this.reading) return
    const ready = [...this.dirty].filter((subscriber) => subscriber.buffer.length === 0)
    if (ready.length === 0) return
    this.reading = true
    for (const subscriber of ready) this.dirty.delete(subscriber)
    this.read(ready)
      .catch(() => {
        for (const subscriber of ready) if (this.open.has(subscriber)) this.dirty.add(subscriber)
        return new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      })
      .finally(() => {
        this.reading = false
        this.pump()
      })
  }

  private async read(subscribers: readonly Subscriber[]): Promise<void> {
    const lowest = new Map<string, number>()
    for (const { rootId, cursor } of subscribers) lowest.set(rootId, Math.min(cursor, lowest.get(rootId) ?? cursor))
    const cursors = [...lowest].map(([rootId, after]) => ({ rootId, after, first: ROOM }))
    const pages = await streamPages(this.db, cursors)
    for (const subscriber of subscribers) {
      const page = pages.get(subscriber.rootId)
      if (page && this.open.has(subscriber)) this.feed(subscriber, page)
    }
  }

  private feed(subscriber: Subscriber, { status, lastSeq, events }: StreamPage): void {
    for (const event of events) {
      if (event.seq <= subscriber.cursor) continue
      subscriber.cursor = event.seq
      if (subscriber.runId === subscriber.rootId || subscriber.runId === event.runId) subscriber.buffer.push(event)
    }
    if (subscriber.cursor < lastSeq) this.dirty.add(subscriber)
    else if (hasEnded(status)) {
      subscriber.complete = true
      this.close(subscriber)
    }
    subscriber.deliver?.()
  }
}

/**
 * Not an async generator: a generator's `return()` waits behind its pending `next()`, so that a client that leaves while
 * nothing happens would never be let go. Here `return()` settles at once.
 */
class EventIterator implements AsyncIterableIterator<EventRow> {
  private returned = false
  private readonly subscriber: Subscriber
  private readonly on: { taken: () => void; closed: () => void }

  constructor(subscriber: Subscriber, on: { taken: () => void; closed: () => void }) {
    this.subscriber = subscriber
    this.on = on
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<EventRow>> {
    const { subscriber } = this
    for (;;) {
      if (this.returned) return { done: true, value: undefined }
      const event = subscriber.buffer.shift()
      if (event) {
        if (subscriber.buffer.length === 0) this.on.taken()
        return { done: false, value: event }
      }
      if (subscriber.failure !== undefined) throw subscriber.failure
      if (subscriber.complete) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        subscriber.deliver = resolve
      })
    }
  }

  async return(): Promise<IteratorResult<EventRow>> {
    this.returned = true
    this.on.closed()
    this.subscriber.deliver?.()
    return { done: true, value: undefined }
  }
}
