import { parseRunId } from '../core/ids.ts'
import type { RunFilter } from '../db/reads/run-list.ts'
import type { EventRow, RunRow } from '../db/rows.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { RunEventRef } from './event.ts'
import { malformed } from './malformed.ts'
import { RunRef } from './run.ts'
import { RunFilterRef, readFilter } from './run-list.ts'

builder.subscriptionField('runEvents', (t) =>
  t.field({
    type: RunEventRef,
    nullable: false,
    description:
      'The transitions of a run: first those after the cursor, then each as it happens, once and in order. Completes when the run has ended. After a broken connection, subscribe again with the last `seq`.',
    args: {
      id: t.arg.id({ required: true, description: 'Of the run.' }),
      after: t.arg.int({ defaultValue: 0, description: 'The last `seq` that is known; 0 for all.' }),
    },
    subscribe: (_, { id, after }, context) => watchRun(id, after ?? 0, context),
    resolve: (event) => event,
  }),
)

builder.subscriptionField('runs', (t) =>
  t.field({
    type: RunRef,
    nullable: false,
    description:
      'Root runs as they change, from now on, each with its newest state: changes that follow each other fast may come as one. Ends with the error SERVICE_UNAVAILABLE where the server was away from its database, or a client did not keep up, for so long that changes were missed: subscribe again, then read the list.',
    args: { filter: t.arg({ type: RunFilterRef, description: 'Which ones; all without.' }) },
    subscribe: async (_, { filter }, { executor }) => {
      const wanted = readFilter(filter ?? {})
      return filtered(await executor.feed.subscribe(), wanted)
    },
    resolve: (run) => run,
  }),
)

async function watchRun(
  shown: string,
  after: number,
  { loaders, executor }: Context,
): Promise<AsyncIterable<EventRow>> {
  const id = parseRunId(shown)
  const run = id && (await loaders.runs.load(id))
  if (!run) throw malformed(`There is no run ${JSON.stringify(shown.slice(0, 100))}`, 'RUN_NOT_FOUND')
  // A child's cursor counts in its root's stream.
  const root = run.rootId === run.id ? run : await loaders.runs.load(run.rootId)
  const last = root?.lastSeq ?? run.lastSeq
  if (after < 0 || after > last)
    throw malformed(`after is ${after}; the newest event of the run has seq ${last}`, 'INVALID_INPUT')
  return executor.streams.subscribe(run.rootId, run.id, after)
}

/** Not a generator: its `return()` must settle at once, also while it waits. */
function filtered(source: AsyncIterableIterator<RunRow>, filter: RunFilter): AsyncIterableIterator<RunRow> {
  const iterator: AsyncIterableIterator<RunRow> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      for (;;) {
        const item = await source.next()
        if (item.done || matches(item.value, filter)) return item
      }
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  }
  return iterator
}

function matches(run: RunRow, { status, name, kind, createdAfter, createdBefore, ids }: RunFilter): boolean {
  return (
    (status === undefined || status.includes(run.status)) &&
    (name === undefined || run.name === name) &&
    (kind === undefined || run.kind === kind) &&
    (createdAfter === undefined || run.createdAt > createdAfter) &&
    (createdBefore === undefined || run.createdAt < createdBefore) &&
    (ids === undefined || ids.includes(run.id))
  )
}
