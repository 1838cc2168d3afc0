import type { Database } from '../db/client.ts'
import { queueDepths } from '../db/reads/runs.ts'

/** A count may be this old before it admits, or refuses, anything. */
const MAX_AGE_MS = 1_000

interface Reading {
  atMs: number
  depth: number
}

/**
 * How many runs of an action are QUEUED, counted at most once a second and carried on with what this node has queued
 * since; a refusal is always based on a fresh count.
 */
export class QueueGauge {
  private readonly readings = new Map<string, Reading>()
  private readonly counting = new Map<string, Promise<Reading>>()
  /** Inserts that may not have been committed yet: a count would miss them. */
  private readonly entering = new Map<string, Set<Promise<unknown>>>()
  private readonly db: Database
  private readonly limit: number

  constructor(db: Database, limit: number) {
    this.db = db
    this.limit = limit
  }

  /** Inserts one more run into the queue of this action; `undefined` when there is no room for it. */
  enter<T extends object>(name: string, insert: () => Promise<T>): Promise<T | undefined> {
    return this.enterUpTo(name, 1, insert)
  }

  /** The same for several: `insert` is told how many there is room for; `undefined` when there is room for none. */
  async enterUpTo<T extends object>(
    name: string,
    wanted: number,
    insert: (admitted: number) => Promise<T>,
  ): Promise<T | undefined> {
    let reading = this.readings.get(name)
    if (!reading || performance.now() - reading.atMs > MAX_AGE_MS || reading.depth + wanted > this.limit)
      reading = await this.count(name)
    const admitted = Math.min(wanted, this.limit - reading.depth)
    if (admitted <= 0) return undefined
    reading.depth += admitted
    const inserted = insert(admitted)
    const inserts = this.entering.get(name) ?? new Set()
    this.entering.set(name, inserts.add(inserted))
    return inserted.finally(() => inserts.delete(inserted))
  }

  private count(name: string): Promise<Reading> {
    const pending = this.counting.get(name)
    if (pending) return pending
    const counted = this.countAnew(name)
    this.counting.set(name, counted)
    return counted.finally(() => this.counting.delete(name))
  }

  /** Whoever asks meanwhile waits for this count: nobody enters before it is done. */
  private async countAnew(name: string): Promise<Reading> {
    const entering = this.entering.get(name)
    if (entering?.size) await Promise.allSettled(entering)
    const depths = await queueDepths(this.db, [name], this.limit)
    const reading = { atMs: performance.now(), depth: depths.get(name) ?? 0 }
    this.readings.set(name, reading)
    return reading
  }
}
