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
  private readonly db: Database
  private readonly limit: number

  constructor(db: Database, limit: number) {
    this.db = db
    this.limit = limit
  }

  /** Admits one more run to the queue of this action, or not. */
  async admit(name: string): Promise<boolean> {
    let reading = this.readings.get(name)
    if (!reading || performance.now() - reading.atMs > MAX_AGE_MS || reading.depth >= this.limit)
      reading = await this.count(name)
    if (reading.depth >= this.limit) return false
    reading.depth++
    return true
  }

  private count(name: string): Promise<Reading> {
    const pending = this.counting.get(name)
    if (pending) return pending
    const counted = queueDepths(this.db, [name], this.limit).then((depths) => {
      const reading = { atMs: performance.now(), depth: depths.get(name) ?? 0 }
      this.readings.set(name, reading)
      return reading
    })
    this.counting.set(name, counted)
    return counted.finally(() => this.counting.delete(name))
  }
}
