import DataLoader from 'dataloader'
import { attemptsOf } from '../db/reads/attempts.ts'
import { type EventPage, eventPages } from '../db/reads/events.ts'
import { runsByIds } from '../db/reads/runs.ts'
import type { AttemptRow, EventRow, RunRow } from '../db/rows.ts'
import type { Executor } from '../executor/executor.ts'

/** Whatever a list would otherwise query row by row: one statement for each kind, however many rows. */
export interface Loaders {
  readonly runs: DataLoader<string, RunRow | undefined>
  readonly attempts: DataLoader<string, AttemptRow[]>
  readonly events: DataLoader<EventPage, EventRow[], string>
}

export function createLoaders({ db }: Executor): Loaders {
  return {
    runs: new DataLoader((ids) => runsByIds(db, ids)),
    attempts: new DataLoader((ids) => attemptsOf(db, ids)),
    events: new DataLoader((pages) => eventPages(db, pages), {
      cacheKeyFn: ({ runId, after, first }) => `${runId}/${after}/${first}`,
    }),
  }
}
