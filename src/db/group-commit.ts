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

/** So many commits are under way at a time: while the database applies one, this process works on the answers of the other. */
const DEPTH = 2

/** So many items are worth a statement of their own beside another. With fewer, what it costs by itself is more than that gives. */
const ENOUGH = 24

interface Options<I> {
  readonly maxBatch?: number
  /** Items of a group share a batch where they wait together, and no two commits under way have items of the same group. */
  readonly groupOf?: (item: I) => string
  /** How many items are worth a commit beside another. Fewer wait for the next. */
  readonly enough?: number
  /** Whether the database has nothing to do for this process; by default, whether no commit of these is under way. */
  readonly isIdle?: () => boolean
}

interface Waiting<I, O> {
  readonly item: I
  readonly resolve: (outcome: O | Promise<O>) => void
  readonly reject: (error: unknown) => void
}

/**
 * Natural batching: what arrives while a commit is in flight shares the next one. There is no timer: with nothing in
 * flight an item goes at once, so that a lone caller has the latency of one commit and many have the throughput of
 * batches. Each promise settles only after its batch has committed.
 *
 * Where many come together while the database has nothing to do, half of them goes first, and the others right behind. From then on
 * there are two crowds: each finds the other under way when it comes, and goes whole. So the database and this process work at the
 * same time, where with one crowd they would take turns.
 */
export class GroupCommit<I, O> {
  private waiting: Waiting<I, O>[] = []
  private inFlight = 0
  private readonly groupsInFlight = new Set<string>()
  private pumping = false
  private readonly commit: (items: I[]) => Promise<(O | Promise<O>)[]>
  private readonly order: (a: I, b: I) => number
  private readonly maxBatch: number
  private readonly groupOf: ((item: I) => string) | undefined
  private readonly enough: number
  private readonly isIdle: () => boolean

  /**
   * @param commit applies the items in one transaction and answers in their order; with a promise for one that it has passed on.
   * @param order of the rows that the items lock: the same everywhere, so that batches never deadlock.
   */
  constructor(
    commit: (items: I[]) => Promise<(O | Promise<O>)[]>,
    order: (a: I, b: I) => number,
    { maxBatch = 500, groupOf, enough = ENOUGH, isIdle = () => this.inFlight === 0 }: Options<I> = {},
  ) {
    this.commit = commit
    this.order = order
    this.maxBatch = maxBatch
    this.groupOf = groupOf
    this.enough = enough
    this.isIdle = isIdle
  }

  submit(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      this.pumpSoon()
    })
  }

  /** Within this turn of the event loop: what the last commit has let go comes back together. */
  private pumpSoon(): void {
    if (this.pumping || this.inFlight === DEPTH) return
    this.pumping = true
    setImmediate(() => {
      this.pumping = false
      this.pump()
    })
  }

  private pump(): void {
    while (this.inFlight < DEPTH) {
      const batch = this.take()
      if (batch.length === 0) return
      this.send(batch)
    }
  }

  /** Of what waits, what is to go now. */
  private take(): Waiting<I, O>[] {
    const { groupOf, groupsInFlight, waiting, enough } = this
    const ready =
      groupOf && groupsInFlight.size > 0 ? waiting.filter(({ item }) => !groupsInFlight.has(groupOf(item))) : waiting
    if (this.inFlight > 0 && ready.length < enough) return []
    const halved = ready.length >= 2 * enough && this.isIdle()
    const size = Math.min(this.maxBatch, halved ? Math.ceil(ready.length / 2) : ready.length)
    if (!groupOf) return waiting.splice(0, size)
    const batch = withWholeGroups(ready, size, this.maxBatch, ({ item }) => groupOf(item))
    const taken = new Set(batch)
    this.waiting = waiting.filter((one) => !taken.has(one))
    return batch
  }

  private send(batch: Waiting<I, O>[]): void {
    batch.sort((a, b) => this.order(a.item, b.item))
    const { groupOf } = this
    const groups = groupOf ? batch.map(({ item }) => groupOf(item)) : []
    this.inFlight++
    for (const group of groups) this.groupsInFlight.add(group)
    this.settle(batch).finally(() => {
      this.inFlight--
      for (const group of groups) this.groupsInFlight.delete(group)
      this.pumpSoon()
    })
  }

  /** One bad row never fails its neighbours: a batch whose values are refused is cut in halves until the row is alone. */
  private async settle(batch: Waiting<I, O>[]): Promise<void> {
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

/** The first `size` items, and what belongs to their groups, up to `most`. */
function withWholeGroups<T>(items: readonly T[], size: number, most: number, groupOf: (item: T) => string): T[] {
  if (size === items.length) return items.slice()
  const batch = items.slice(0, size)
  const groups = new Set(batch.map(groupOf))
  for (const item of items.slice(size)) if (batch.length < most && groups.has(groupOf(item))) batch.push(item)
  return batch
}

/** Orders rows by (bucket, id): the order in which every batch locks them. */
export function byBucketAndId(a: { bucket: number; id: string }, b: { bucket: number; id: string }): number {
  return a.bucket - b.bucket || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
