import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Decision } from '../core/outcome.ts'
import type { Database } from '../db/client.ts'
import { byBucketAndId, GroupCommit } from '../db/group-commit.ts'
import { databaseFault, isTransient } from '../db/pg-errors.ts'
import { runById } from '../db/reads/runs.ts'
import type { RunRow } from '../db/rows.ts'
import { type AttemptEnd, type EndedRow, endAttempts, endOf } from '../db/transitions/end-attempts.ts'
import type { StepEnds } from './workflow/workflows.ts'

/** `superseded`: the run went to another hand; nothing was written. */
export type EndOutcome = { readonly kind: 'ended'; readonly row: EndedRow } | { readonly kind: 'superseded' }

const RETRY_MS = { first: 50, most: 1_000 }

/** Records the ends of attempts: in shared commits, and for as long as it takes. */
export class AttemptEnds {
  private readonly commits: GroupCommit<AttemptEnd, EndedRow | undefined>
  private readonly db: Database
  private readonly workflows: StepEnds
  private readonly log: Logger

  constructor(db: Database, workflows: StepEnds, log: Logger) {
    this.db = db
    this.workflows = workflows
    this.log = log
    this.commits = new GroupCommit<AttemptEnd, EndedRow | undefined>((ends) => endAttempts(db, ends), byBucketAndId, {
      isIdle: db.warm.isIdle,
    })
  }

  /**
   * Writes an end until it stands, through outages and whatever else ails the database: the work is done and must not be
   * done again, nor called failed. Rejects with what can never be stored, and with the signal's reason when nobody waits
   * any longer.
   * @param beforehand is called once it is certain that the end of a step is this worker's to write: what follows the step
   *   may take its slot.
   */
  async write(run: RunRow, decision: Decision, signal: AbortSignal, beforehand: () => void): Promise<EndOutcome> {
    for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
      signal.throwIfAborted()
      try {
        const row = await this.submit(run, decision, beforehand)
        if (row) return { kind: 'ended', row }
        // Not changed: either another hand has it, or it was being written at that moment (a heartbeat, say).
        const now = await runById(this.db, run.id)
        if (now?.status !== 'RUNNING' || now.fence !== run.fence) return { kind: 'superseded' }
      } catch (error) {
        if (databaseFault(error) === 'data') throw error
        if (!isTransient(error))
          this.log.error({ err: error }, 'the end of an attempt was refused; it is written again')
        await sleep(delayMs, undefined, { ref: false })
      }
    }
  }

  private submit(run: RunRow, decision: Decision, beforehand: () => void): Promise<EndedRow | undefined> {
    if (run.parentId !== null) return this.workflows.endAttempt(run, decision, beforehand)
    return this.commits.submit(endOf(run, decision))
  }
}
