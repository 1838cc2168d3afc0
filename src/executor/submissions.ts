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
  /** By run id: of one id only one submission of this node is under way. */
  private readonly underWay = new Map<string, Promise<unknown>>()
  private readonly unavailableMs: number

  constructor(db: Database, unavailableMs: number) {
    this.unavailableMs = unavailableMs
    this.commits = new GroupCommit<NewRun, SubmittedRow | undefined>(async (rows) => {
      const submitted = new Map((await submitRuns(db, rows)).map((row) => [row.id, row]))
      return rows.map(({ id }) => submitted.get(id))
    }, byBucketAndId)
  }

  isUnderWay(id: string): boolean {
    return this.underWay.has(id)
  }

  /** Resolves when no other submission of this id is under way on this node. */
  async turn(id: string): Promise<void> {
    for (let other = this.underWay.get(id); other; other = this.underWay.get(id)) await other.catch(() => {})
  }

  /**
   * Inserts a run. Call without an `await` after `turn`.
   * Throws `ServiceUnavailableError` when the database stays away: the run may or may not exist, and a repetition tells.
   */
  submit(row: NewRun): Promise<Submission> {
    const submitted = this.commit(row).finally(() => this.underWay.delete(row.id))
    this.underWay.set(row.id, submitted)
    return submitted
  }

  private async commit(row: NewRun): Promise<Submission> {
    let tries = 0
    const inserted = await whileUnavailable(this.unavailableMs, () => {
      tries++
      return this.commits.submit(row)
    })
    return { inserted, repeated: tries > 1 }
  }
}

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
