import type { RunRow } from '../db/rows.ts'
import type { RegisteredAction } from './registry.ts'

/** A worker that has reserved room for a run which is about to be submitted as RUNNING. */
export interface Place {
  readonly id: string
  /** Whether it executes the run already. */
  holds(runId: string): boolean
  /** Gives it the run, in the room that was reserved. */
  launchReserved(run: RunRow, action: RegisteredAction): void
  /** The room is not needed. */
  release(action: RegisteredAction): void
}
