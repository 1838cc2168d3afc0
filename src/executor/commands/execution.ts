import type { RunRow } from '../../db/rows.ts'

/** A call of `executeAction`, with the defaults filled in. */
export interface ExecuteAction {
  readonly name: string
  readonly params: unknown
  /** Absent: each call is a new intent. */
  readonly idempotencyKey: string | null
  readonly waitMs: number
  readonly runAt: Date | null
  readonly priority: number
}

/** The answer to a call that was not refused. */
export interface Executed {
  readonly run: RunRow
  /** False only in the answer to the call that recorded the run. */
  readonly replayed: boolean
}
