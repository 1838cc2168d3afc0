import { keyedRunId } from '../core/ids.ts'
import { RUN_KINDS, type RunKind, type RunStatus } from '../core/status.ts'
import { listRuns, type RunCursor, type RunFilter } from '../db/reads/run-list.ts'
import type { RunRow } from '../db/rows.ts'
import { builder } from './builder.ts'
import { RunKindRef, RunStatusRef } from './enums.ts'
import { badInput, within } from './malformed.ts'
import { RunRef } from './run.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500

export const RunFilterRef = builder.inputType('RunFilter', {
  description: 'Which root runs. All that is given must hold.',
  fields: (t) => ({
    status: t.field({ type: [RunStatusRef], description: 'In one of these states.' }),
    name: t.string({ description: 'Of this action or workflow.' }),
    kind: t.field({ type: RunKindRef, description: 'Of this kind.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Recorded later than this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Recorded earlier than this.' }),
    idempotencyKey: t.string({
      description: 'Submitted under this key; needs `name`.',
    }),
  }),
})

interface FilterInput {
  readonly status?: readonly RunStatus[] | null | undefined
  readonly name?: string | null | undefined
  readonly kind?: RunKind | null | undefined
  readonly createdAfter?: Date | null | undefined
  readonly createdBefore?: Date | null | undefined
  readonly idempotencyKey?: string | null | undefined
}

interface Page {
  readonly runs: RunRow[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
}

const EdgeRef = builder.objectRef<RunRow>('RunEdge').implement({
  description: 'A run in a page, with its cursor.',
  fields: (t) => ({
    cursor: t.string({ nullable: false, description: 'To go on from, as `after` or `before`.', resolve: encodeCursor }),
    node: t.field({ type: RunRef, nullable: false, description: 'The run.', resolve: (run) => run }),
  }),
})

const PageInfoRef = builder.objectRef<Page>('PageInfo').implement({
  description: 'Where a page lies.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { nullable: false, description: 'Whether older ones follow.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      nullable: false,
      description: 'Whether newer ones come before.',
    }),
    startCursor: t.string({
      description: 'Of the first; null for an empty page.',
      resolve: ({ runs }) => cursorOf(runs[0]),
    }),
    endCursor: t.string({
      description: 'Of the last; null for an empty page.',
      resolve: ({ runs }) => cursorOf(runs.at(-1)),
    }),
  }),
})

const ConnectionRef = builder.objectRef<Page>('RunConnection').implement({
  description: 'A page of runs, newest first.',
  fields: (t) => ({
    edges: t.field({
      type: [EdgeRef],
      nullable: { list: false, items: false },
      description: 'The runs with their cursors.',
      resolve: ({ runs }) => runs,
    }),
    nodes: t.field({
      type: [RunRef],
      nullable: { list: false, items: false },
      description: 'The runs alone.',
      resolve: ({ runs }) => runs,
    }),
    pageInfo: t.field({ type: PageInfoRef, nullable: false, description: 'Where it lies.', resolve: (page) => page }),
  }),
})

builder.queryField('runs', (t) =>
  t.field({
    type: ConnectionRef,
    nullable: false,
    description:
      'Root runs, newest first by (createdAt, id). `first` with `after` goes to older ones, `last` with `before` to newer.',
    args: {
      first: t.arg.int({ description: `At most so many of the newest; default ${DEFAULT_PAGE}, at most ${MAX_PAGE}.` }),
      after: t.arg.string({ description: 'Only those after this cursor.' }),
      last: t.arg.int({ description: `At most so many of the oldest; at most ${MAX_PAGE}.` }),
      before: t.arg.string({ description: 'Only those before this cursor.' }),
      filter: t.arg({ type: RunFilterRef, description: 'Which ones; all without.' }),
    },
    resolve: async (_, { first, after, last, before, filter }, { executor }) => {
      if (first != null && last != null) throw badInput('Give first or last, not both')
      const limit = within(last == null ? 'first' : 'last', last ?? first ?? DEFAULT_PAGE, 0, MAX_PAGE)
      const from = last == null ? 'newest' : 'oldest'
      const cursors = { after: decodeCursor('after', after), before: decodeCursor('before', before) }
      const found = await listRuns(executor.db, {
        limit: limit + 1,
        filter: readFilter(filter ?? {}),
        from,
        ...cursors,
      })
      return pageOf(found, limit, from, cursors)
    },
  }),
)

function pageOf(
  found: RunRow[],
  limit: number,
  from: 'newest' | 'oldest',
  { after, before }: { after: RunCursor | undefined; before: RunCursor | undefined },
): Page {
  const more = found.length > limit
  return from === 'newest'
    ? { runs: found.slice(0, limit), hasNextPage: more || before !== undefined, hasPreviousPage: after !== undefined }
    : {
        runs: found.slice(more ? 1 : 0),
        hasNextPage: before !== undefined,
        hasPreviousPage: more || after !== undefined,
      }
}

/** Also what the subscription filters by. Throws BAD_USER_INPUT for a key without a name, and for a name that cannot be. */
export function readFilter({ idempotencyKey, name, kind, ...rest }: FilterInput): RunFilter {
  if (name?.includes('\0')) throw badInput('filter.name contains a NUL character')
  const filter: RunFilter = {
    status: rest.status ?? undefined,
    name: name ?? undefined,
    kind: kind ?? undefined,
    createdAfter: rest.createdAfter ?? undefined,
    createdBefore: rest.createdBefore ?? undefined,
  }
  if (idempotencyKey == null) return filter
  if (name == null)
    throw badInput('filter.idempotencyKey needs filter.name: a key is unique within an action or a workflow')
  const kinds = kind == null ? RUN_KINDS : [kind]
  return { ...filter, ids: kinds.map((one) => keyedRunId(one, name, idempotencyKey)) }
}

function encodeCursor({ createdAt, id }: RunRow): string {
  return Buffer.from(`${createdAt.getTime()}:${id}`).toString('base64url')
}

function cursorOf(run: RunRow | undefined): string | null {
  return run ? encodeCursor(run) : null
}

const CURSOR = /^(\d{1,14}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

function decodeCursor(argument: string, cursor: string | null | undefined): RunCursor | undefined {
  if (cursor == null) return undefined
  const [, ms, id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  const createdAt = new Date(Number(ms))
  if (id === undefined || Number.isNaN(createdAt.getTime()))
    throw badInput(`${argument} is no cursor of this list: take one from an edge or pageInfo`)
  return { createdAt, id }
}
