import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import type { Database } from '../db/client.ts'
import type { RunRow } from '../db/rows.ts'
import type { AttemptAbort } from './abort.ts'
import type { Execution } from './executions.ts'
import type { ExecutorOptions } from './options.ts'
import type { AttemptEnds } from './persist.ts'
import type { RegisteredAction } from './registry.ts'
import type { Workflows } from './workflow/workflows.ts'

/** What all attempts of a worker share. */
export interface AttemptParts {
  /** Aborted when even the record of the attempt's end is given up: the process is about to exit. */
  readonly giveUp: AbortSignal
  readonly db: Database
  readonly workflows: Workflows
  readonly ends: AttemptEnds
  readonly options: ExecutorOptions
  readonly log: Logger
}

/** What the pipeline of an attempt works with. */
export class Attempt implements AttemptParts {
  readonly run: RunRow
  readonly action: RegisteredAction
  /** Aborts the handler: timeout, cancel, lost lease, stop. */
  readonly abort: AttemptAbort
  /** Gives back the slot that the attempt takes, before its end is recorded: what follows it may run in its place. */
  readonly yieldSlot: () => void
  private readonly parts: AttemptParts
  private ownLog: Logger | undefined

  constructor({ run, abort }: Execution, action: RegisteredAction, parts: AttemptParts, yieldSlot: () => void) {
    this.run = run
    this.abort = abort
    this.action = action
    this.parts = parts
    this.yieldSlot = yieldSlot
  }

  get giveUp(): AbortSignal {
    return this.parts.giveUp
  }

  get db(): Database {
    return this.parts.db
  }

  get workflows(): Workflows {
    return this.parts.workflows
  }

  get ends(): AttemptEnds {
    return this.parts.ends
  }

  get options(): ExecutorOptions {
    return this.parts.options
  }

  /** Whether anybody reads that an attempt succeeded. */
  get logsSuccess(): boolean {
    return this.parts.log.isLevelEnabled('debug')
  }

  /** With the run's id in every line. Made for who writes to it: most attempts say nothing. */
  get log(): Logger {
    const { id, name, attempt } = this.run
    this.ownLog ??= this.parts.log.child({ run: showRunId(id), action: name, attempt })
    return this.ownLog
  }
}
