import type { EventRow } from '../db/rows.ts'

/** Whom a stream tells that it has room, and that it is over. */
interface Owner {
  emptied(stream: EventStream): void
  close(stream: EventStream): void
}

const NOTHING: readonly EventRow[] = []

/**
 * One subscriber's stream: where it is, and what it has not yet taken. Thousands may be open, so it is this one object.
 *
 * Not an async generator: a generator's `return()` waits behind its pending `next()`, so that a client that leaves while
 * nothing happens would never be let go. Here `return()` settles at once.
 */
export class EventStream implements AsyncIterableIterator<EventRow> {
  readonly rootId: string
  readonly runId: string
  /** The newest event that was read for it. */
  cursor: number
  /** There may be more in the table. */
  behind = false
  /** What was read, perhaps shared with other streams, of which `taken` are gone. */
  private events = NOTHING
  private taken = 0
  private over = false
  private failure: Error | undefined
  /** Settles the consumer's pending wait. */
  private arrived: (() => void) | undefined
  private readonly owner: Owner

  constructor(rootId: string, runId: string, after: number, owner: Owner) {
    this.rootId = rootId
    this.runId = runId
    this.cursor = after
    this.owner = owner
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** How many events the consumer may take at once. */
  get held(): number {
    return this.events.length - this.taken
  }

  /** The next event, if it is there already. Whoever takes the last one has more read. */
  take(): EventRow | undefined {
    const event = this.events[this.taken]
    if (!event) return
    this.taken++
    if (this.held === 0) {
      this.events = NOTHING
      this.taken = 0
      this.owner.emptied(this)
    }
    return event
  }

  /** Waits until there is something to take; false when nothing comes any more. Throws what the stream was broken with. */
  async more(): Promise<boolean> {
    while (this.held === 0) {
      if (this.failure) throw this.failure
      if (this.over) return false
      await new Promise<void>((resolve) => {
        this.arrived = resolve
      })
    }
    return true
  }

  async next(): Promise<IteratorResult<EventRow>> {
    for (;;) {
      const event = this.take()
      if (event) return { done: false, value: event }
      if (!(await this.more())) return { done: true, value: undefined }
    }
  }

  async return(): Promise<IteratorResult<EventRow>> {
    this.owner.close(this)
    this.events = NOTHING
    this.taken = 0
    this.failure = undefined
    this.complete()
    return { done: true, value: undefined }
  }

  /** @param last the newest event that was read, whether or not it concerns this stream. */
  feed(events: readonly EventRow[], last: number): void {
    this.cursor = last
    this.events = events
    if (events.length > 0) this.settle()
  }

  /** Nothing comes after what it holds. */
  complete(): void {
    this.over = true
    this.settle()
  }

  /** Breaks the stream, after what it holds. */
  fail(reason: Error): void {
    this.failure = reason
    this.settle()
  }

  private settle(): void {
    this.arrived?.()
    this.arrived = undefined
  }
}
