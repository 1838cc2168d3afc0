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
 * batch would hold up for ever what comes after it. What commits all the same is found by whoever repeats it.
 */
const PATIENCE_MS = 20_000

/** Of what stands in no other's way, which part an item belongs to. */
export type Side = 0 | 1

interface Options<I> {
  readonly maxBatch?: number
  /** More than `over` items go as two batches side by side, each with a connection, and a core, of its own. */
  readonly sides?: { readonly of: (item: I) => Side; readonly over: number }
}

const BOTH = 'both'

/**
 * Natural batching: what arrives while a commit is in flight shares the next one. There is no timer: with nothing in
 * flight an item goes at once, so that a lone caller has the latency of one commit and many have the throughput of
 * batches. Each promise settles only after its batch has committed.
 */
export class GroupCommit<I, O> {
  private waiting: { item: I; resolve: (outcome: O | Promise<O>) => void; reject: (error: unknown) => void }[] = []
  /** What is in flight: a batch of everything, or one of each side. */
  private readonly inFlight = new Set<Side | typeof BOTH>()
  private pumping = false
  private readonly commit: (items: I[]) => Promise<(O | Promise<O>)[]>
  private readonly order: (a: I, b: I) => number
  private readonly maxBatch: number
  private readonly sides: Options<I>['sides']

  /**
   * @param commit applies the items in one transaction and answers in their order; with a promise for one that it has passed on.
   * @param order of the rows that the items lock: the same everywhere, so that batches never deadlock.
   */
  constructor(
    commit: (items: I[]) => Promise<(O | Promise<O>)[]>,
    order: (a: I, b: I) => number,
    { maxBatch = 500, sides }: Options<I> = {},
  ) {
    this.commit = commit
    this.order = order
    this.maxBatch = maxBatch
    this.sides = sides
  }

  submit(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      this.pumpSoon()
    })
  }

  /** Within this turn of the event loop: what the last commit has let go comes back together. */
  private pumpSoon(): void {
    if (this.pumping || this.isFull()) return
    this.pumping = true
    setImmediate(() => {
      this.pumping = false
      this.pump()
    })
  }

  private isFull(): boolean {
    return this.inFlight.has(BOTH) || this.inFlight.size === 2
  }

  private pump(): void {
    if (this.waiting.length === 0 || this.isFull()) return
    const { sides, inFlight } = this
    const idle = inFlight.size === 0
    if (!sides || (idle && this.waiting.length <= sides.over)) {
      this.send(BOTH, this.waiting.splice(0, this.maxBatch))
      return
    }
    for (const side of [0, 1] as const) {
      if (inFlight.has(side)) continue
      const own = this.waiting.filter(({ item }) => sides.of(item) === side)
      // beside the other, a few are better off with those that it will let go
      if (own.length > (idle ? 0 : sides.over / 2)) this.send(side, this.take(own.slice(0, this.maxBatch)))
    }
  }

  private take(batch: typeof this.waiting): typeof this.waiting {
    const taken = new Set(batch)
    this.waiting = this.waiting.filter((one) => !taken.has(one))
    return batch
  }

  private send(side: Side | typeof BOTH, batch: typeof this.waiting): void {
    batch.sort((a, b) => this.order(a.item, b.item))
    this.inFlight.add(side)
    this.settle(batch).finally(() => {
      this.inFlight.delete(side)
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

/** More than so many items of a batch keep a second connection busy: below, what a statement costs by itself is more than that gives. */
const WIDE = 150

/** Two batches side by side where there are many: by bucket, so that what concerns one run is on one side. */
export const BY_BUCKET = { of: ({ bucket }: { bucket: number }): Side => (bucket % 2 === 0 ? 0 : 1), over: WIDE }
