import DataLoader from 'dataloader'
import { attemptsOf } from '../db/reads/attempts.ts'
import { type EventPage, eventPages } from '../db/reads/events.ts'
import { runsByIds } from '../db/reads/runs.ts'
import { stepsOf } from '../db/reads/steps.ts'
import type { AttemptRow, EventRow, RunRow } from '../db/rows.ts'
import type { Executor } from '../executor/executor.ts'

/** Whatever a list would otherwise query row by row: one statement for each kind, however many rows. */
export interface Loaders {
  readonly runs: DataLoader<string, RunRow | undefined>
  /** The steps of a workflow, the iterations of a list or a loop. */
  readonly steps: DataLoader<string, RunRow[]>
  readonly attempts: DataLoader<string, AttemptRow[]>
  readonly events: DataLoader<EventPage, EventRow[]>
}

/** They batch and do not cache: the context of a subscription lives as long as the subscription, and so would what they knew. */
export function createLoaders({ db }: Executor): Loaders {
  return {
    runs: new DataLoader((ids) => runsByIds(db, ids), { cache: false }),
    steps: new DataLoader((ids) => stepsOf(db, ids), { cache: false }),
    attempts: new DataLoader((ids) => attemptsOf(db, ids), { cache: false }),
    events: new DataLoader((pages) => eventPages(db, pages), { cache: false }),
  }
}
