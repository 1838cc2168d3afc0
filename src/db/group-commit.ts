import { setTimeout as sleep } from 'node:timers/promises'
import { databaseFault } from './pg-errors.ts'

/**
 * When connections break together, postgres.js (3.4.9) spoils one that is written to before it has heard of its end: after
 * a loss the next batch waits until all of them have.
 */
const BREATH_MS = 10

/**
 * A batch that takes longer is given up as if the database were away. An answer may never come: a network that swallows it,
 * or postgres.js, which forgets a query that it is given between a connection's reset and its end. Without a bound, one such
 * batch would hold its lane for ever. What commits all the same is found by whoever repeats it.
 */
const PATIENCE_MS = 20_000

/**
 * Natural batching: what arrives while a commit is in flight shares the next one. There is no timer: with nothing in
 * flight an item goes at once, so that a lone caller has the latency of one commit and many have the throughput of
 * batches. Each promise settles only after its batch has committed.
 */
export class GroupCommit<I, O> {
  private waiting: { item: I; resolve: (outcome: O | Promise<O>) => void; reject: (error: unknown) => void }[] = []
  private inFlight = 0
  private pumping = false
  private readonly commit: (items: I[]) => Promise<(O | Promise<O>)[]>
  private readonly order: (a: I, b: I) => number
  private readonly lanes: number
  private readonly maxBatch: number

  /**
   * @param commit applies the items in one transaction and answers in their order; with a promise for one that it has passed on.
   * @param order of the rows that the items lock: the same everywhere, so that batches never deadlock.
   */
  constructor(
    commit: (items: I[]) => Promise<(O | Promise<O>)[]>,
    order: (a: I, b: I) => number,
    { lanes = 1, maxBatch = 500 }: { lanes?: number; maxBatch?: number } = {},
  ) {
    this.commit = commit
    this.order = order
    this.lanes = lanes
    this.maxBatch = maxBatch
  }

  submit(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      if (this.inFlight < this.lanes) this.pumpSoon()
    })
  }

  /** Within this turn of the event loop: what the last commit has let go comes back together. */
  private pumpSoon(): void {
    if (this.pumping) return
    this.pumping = true
    setImmediate(() => {
      this.pumping = false
      if (this.inFlight < this.lanes) this.pump()
    })
  }

  private pump(): void {
    const batch = this.waiting.splice(0, this.maxBatch)
    if (batch.length === 0) return
    batch.sort((a, b) => this.order(a.item, b.item))
    this.inFlight++
    this.settle(batch).finally(() => {
      this.inFlight--
      this.pumpSoon()
    })
  }

  /** One bad row never fails its neighbours: a batch whose values are refused is cut in halves until the row is alone. */
  private async settle(batch: typeof this.waiting): Promise<void> {
    try {
      const outcomes = await withinPatience(this.commit(batch.map(({ item }) => item)))
      batch.forEach(({ resolve }, i) => {
        resolve(outcomes[i]!)
      })
    } catch (error) {
      const fault = databaseFault(error)
      if (batch.length > 1 && fault !== 'unavailable' && fault !== 'conflict') {
        const middle = batch.length >> 1
        await this.settle(batch.slice(0, middle))
        await this.settle(batch.slice(middle))
        return
      }
      for (const { reject } of batch) reject(error)
      if (fault === 'unavailable') await sleep(BREATH_MS)
    }
  }
}

function withinPatience<T>(commit: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(Object.assign(new Error('The database did not answer in time'), { code: 'ETIMEDOUT' }))
    const timer = setTimeout(giveUp, PATIENCE_MS)
    commit.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Orders rows by (bucket, id): the order in which every batch locks them. */
export function byBucketAndId(a: { bucket: number; id: string }, b: { bucket: number; id: string }): number {
  return a.bucket - b.bucket || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
