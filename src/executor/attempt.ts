import type { Logger } from 'pino'
import { tangible } from '../core/failure.ts'
import type { Database } from '../db/client.ts'
import type { RunRow } from '../db/rows.ts'
import type { ExecutorOptions } from './options.ts'
import type { AttemptEnds } from './persist.ts'
import type { RegisteredAction } from './registry.ts'
import type { Workflows } from './workflow/workflows.ts'

/** What the pipeline of an attempt works with. */
export interface Attempt {
  readonly run: RunRow
  readonly action: RegisteredAction
  /** Aborts the handler: timeout, cancel, lost lease, stop. */
  readonly abort: AbortController
  /** Aborted when even the record of the attempt's end is given up: the process is about to exit. */
  readonly giveUp: AbortSignal
  /** Gives back the slot that the attempt takes, before its end is recorded: what follows it may run in its place. */
  readonly yieldSlot: () => void
  readonly db: Database
  readonly workflows: Workflows
  readonly ends: AttemptEnds
  readonly options: ExecutorOptions
  readonly log: Logger
}

/** The handler's answer, or the reason of the abort, whichever comes first. */
export function untilAborted<T>(signal: AbortSignal, call: () => T | Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const aborted = () => reject(signal.reason)
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })
    Promise.resolve()
      .then(call)
      .then(resolve, (thrown) => reject(tangible(thrown)))
      .finally(() => signal.removeEventListener('abort', aborted))
  })
}
