import type { RunRow } from '../../db/rows.ts'

/** What is to be executed, with the defaults filled in. */
export interface ActionRequest {
  readonly name: string
  readonly params: unknown
  /** Absent: each call is a new intent. */
  readonly idempotencyKey: string | null
  readonly runAt: Date | null
  readonly priority: number
}

/** A call of `executeAction`. */
export interface ExecuteAction extends ActionRequest {
  readonly waitMs: number
}

/** The answer to a call that was not refused. */
export interface Executed {
  readonly run: RunRow
  /** False only in the answer to the call that recorded the run. */
  readonly replayed: boolean
}
