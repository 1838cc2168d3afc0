import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceUnavailableError } from '../core/request-errors.ts'
import type { Database } from '../db/client.ts'
import { byBucketAndId, GroupCommit } from '../db/group-commit.ts'
import { isTransient } from '../db/pg-errors.ts'
import { type NewRun, type SubmittedRow, submitRuns } from '../db/transitions/submit-runs.ts'

const RETRY_MS = { first: 25, most: 500 }

/** `inserted` is absent when the run exists; `repeated`: then it may be this very submission that made it, its answer lost. */
export interface Submission {
  readonly inserted: SubmittedRow | undefined
  readonly repeated: boolean
}

/** Submits runs in shared commits. */
export class Submissions {
  private readonly commits: GroupCommit<NewRun, SubmittedRow | undefined>
  /** By run id. */
  private readonly underWay = new Map<string, Promise<unknown>>()
  private readonly unavailableMs: number

  constructor(db: Database, unavailableMs: number) {
    this.unavailableMs = unavailableMs
    this.commits = new GroupCommit<NewRun, SubmittedRow | undefined>((runs) => submitRuns(db, runs), byBucketAndId, {
      isIdle: db.warm.isIdle,
    })
  }

  isUnderWay(id: string): boolean {
    return this.underWay.has(id)
  }

  /**
   * Lets one submission of an id be under way on this node: `work` for the first, and for those that come meanwhile the word
   * that the run exists (`undefined`), once the first has come through. Was the first refused, the next one tries.
   */
  async once<T>(id: string, work: () => Promise<T>): Promise<T | undefined> {
    for (let first = this.underWay.get(id); first; first = this.underWay.get(id))
      if (await first.then(exists, refused)) return undefined
    const own = work()
    this.underWay.set(id, own)
    try {
      return await own
    } finally {
      this.underWay.delete(id)
    }
  }

  /** The same for several that are not under way: `work` makes all of them, or says which it has not made. */
  async onceForAll<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    const own = work()
    for (const id of ids) this.underWay.set(id, own)
    try {
      return await own
    } finally {
      for (const id of ids) this.underWay.delete(id)
    }
  }

  /**
   * Inserts a run. Throws `ServiceUnavailableError` when the database stays away: the run may or may not exist, and a
   * repetition tells.
   */
  async submit(row: NewRun): Promise<Submission> {
    let tries = 0
    const inserted = await whileUnavailable(this.unavailableMs, () => {
      tries++
      return this.commits.submit(row)
    })
    return { inserted, repeated: tries > 1 }
  }
}

const exists = () => true
const refused = () => false

/** Repeats what is safe to repeat while the database is away, then gives up with `ServiceUnavailableError`. */
export async function whileUnavailable<T>(ms: number, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + ms
  for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isTransient(error)) throw error
      if (performance.now() + delayMs > until) throw new ServiceUnavailableError(error)
      await sleep(delayMs)
    }
  }
}
