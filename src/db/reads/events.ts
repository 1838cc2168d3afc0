import { groupBy } from '../../core/group-by.ts'
import { bucketOf } from '../../core/ids.ts'
import type { RunStatus } from '../../core/status.ts'
import type { Database } from '../client.ts'
import { type PackRow, unpacked } from '../event-packs.ts'
import { LAST_SEQ } from '../last-seq.ts'
import { EVENT_COLUMNS, type EventRow } from '../rows.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'
import { TOLD_EVENTS } from '../told-events.ts'

export interface EventPage {
  readonly rootId: string
  /** Only this run's events; the root's own id gives the whole stream. */
  readonly runId: string
  readonly after: number
  readonly first: number
}

/**
 * SQL: which rows of `written_events`, as `e`, have events of a stream after a number. The first of them is found by a look at the index:
 * the number may be in the middle of it.
 */
const endsAfter = (bucket: string, rootId: string, seq: string) => `
    e.bucket = ${bucket} and e.root_id = ${rootId} and coalesce(e.last_seq, e.seq) > ${seq} and e.seq >= coalesce((
      select w.seq from action_do.written_events w
      where w.bucket = ${bucket} and w.root_id = ${rootId} and w.seq <= ${seq} + 1 order by w.seq desc limit 1
    ), 0)`

/** The events of a page after a number, from the rows that have them. */
function pageOf(rows: readonly PackRow[], after: number, first: number, runId?: string): EventRow[] {
  const events = rows.flatMap(unpacked)
  return firstAfter(runId === undefined ? events : events.filter((event) => event.runId === runId), after, first)
}

function firstAfter(events: readonly EventRow[], after: number, first: number): EventRow[] {
  return events
    .filter(({ seq }) => seq > after)
    .sort((a, b) => a.seq - b.seq)
    .slice(0, first)
}

/*
 * Those that are rows, as far as the page goes, and those that the root tells. Asked of the view, a page of a long stream might cost
 * what the whole stream does.
 */
const pages: JsonStatement<PackRow & { page: number }> = jsonStatement(`
select i.page, e.* from json_to_recordset(:input) as i(page int4, bucket int2, "rootId" uuid, "runId" uuid, after int4, first int4)
cross join lateral (
  select r.* from action_do.runs r where r.bucket = i.bucket and r.id = i."rootId" offset 0
) r
cross join lateral (
  (
    select ${EVENT_COLUMNS}, e.more from action_do.written_events e
    where ${endsAfter('i.bucket', 'i."rootId"', 'i.after')}
      and case when i."runId" = i."rootId" then e.seq <= i.after + i.first
        else e.run_id = i."runId" or position(i."runId"::text in e.more::text) > 0 end
    order by e.seq limit i.first
  )
  union all
  (select ${EVENT_COLUMNS}, null from (${TOLD_EVENTS}) e where e.seq > i.after)
) e`)

/** A page, with what it holds. */
type ReadPage = readonly [page: EventPage, events: EventRow[]]

async function pagesAlone(db: Database, wanted: readonly EventPage[]): Promise<ReadPage[]> {
  if (wanted.length === 0) return []
  const rows = await pages.run(
    db.reads,
    wanted.map((page, i) => ({ ...page, page: i, bucket: bucketOf(page.rootId) })),
  )
  const byPage = groupBy(rows, (row) => row.page)
  return wanted.map((page, i) => {
    const { rootId, runId, after, first } = page
    return [page, pageOf(byPage.get(i) ?? [], after, first, runId === rootId ? undefined : runId)]
  })
}

const shared: JsonStatement<PackRow & { page: number }> = jsonStatement(`
select i.page, e.* from json_to_recordset(:input) as i(page int4, bucket int2, "rootId" uuid, "runIds" uuid[], after int4)
cross join lateral (
  select ${EVENT_COLUMNS}, e.more from action_do.written_events e
  where ${endsAfter('i.bucket', 'i."rootId"', 'i.after')} and (e.run_id = any(i."runIds") or e.more is not null)
  offset 0
) e`)

/** The events of several steps, in groups that are of one stream and begin at one place: it is read once for all of them. */
async function pagesTogether(db: Database, groups: readonly (readonly EventPage[])[]): Promise<ReadPage[]> {
  if (groups.length === 0) return []
  const rows = await shared.run(
    db.reads,
    groups.map((group, page) => {
      const { rootId, after } = group[0]!
      return { page, bucket: bucketOf(rootId), rootId, runIds: group.map(({ runId }) => runId), after }
    }),
  )
  const byGroup = groupBy(rows, (row) => row.page)
  return groups.flatMap((group, i) => {
    const byRun = groupBy((byGroup.get(i) ?? []).flatMap(unpacked), ({ runId }) => runId)
    return group.map((page): ReadPage => [page, firstAfter(byRun.get(page.runId) ?? [], page.after, page.first)])
  })
}

/** From so many steps on, a stream is read once for all of them: else a large workflow costs its length for each of its steps. */
const SEVERAL = 5

/** A page of each stream, or of one run's events in it, by `seq`. One statement, or two. */
export async function eventPages(db: Database, wanted: readonly EventPage[]): Promise<EventRow[][]> {
  const steps = wanted.filter(({ rootId, runId }) => runId !== rootId)
  const groups = [...groupBy(steps, ({ rootId, after }) => `${rootId} ${after}`).values()]
  const several = groups.filter((group) => group.length >= SEVERAL)
  const together = new Set(several.flat())
  const alone = wanted.filter((page) => !together.has(page))
  const parts = await Promise.all([pagesAlone(db, alone), pagesTogether(db, several)])
  const read = new Map(parts.flat())
  return wanted.map((page) => read.get(page)!)
}

/** A root as one snapshot shows it, with its events after a cursor. */
export interface StreamPage {
  readonly status: RunStatus
  readonly lastSeq: number
  readonly events: EventRow[]
}

type StreamRow = { page: number; status: RunStatus; lastSeq: number; event: boolean } & PackRow

/* Most streams that are read again and again are those of workflows, which tell nothing: so that part is one for all, and not one for each. */
const streams: JsonStatement<StreamRow> = jsonStatement(`
with roots as materialized (
  select i.page, i.after, i.first, r.*
  from json_to_recordset(:input) as i(page int4, bucket int2, "rootId" uuid, after int4, first int4)
  cross join lateral (
    select r.bucket, r.id, r.status, ${LAST_SEQ} as last_seq, r.attempt, r.created_at, r.started_at, r.finished_at, r.opening,
      r.submitted_by, r.tells_start, r.tells_end
    from action_do.runs r
    where r.bucket = i.bucket and r.id = i."rootId" offset 0
  ) r
  where r.last_seq > i.after or r.finished_at is not null
)
select r.page, r.status, r.last_seq as "lastSeq", e."rootId" is not null as event, e.*
from roots r
left join lateral (
  select ${EVENT_COLUMNS}, e.more from action_do.written_events e
  where ${endsAfter('r.bucket', 'r.id', 'r.after')}
    and e.seq <= r.after + r.first
  order by e.seq limit r.first
) e on true
union all
select r.page, r.status, r.last_seq, true, ${EVENT_COLUMNS}, null
from roots r cross join lateral (${TOLD_EVENTS}) e
where (r.opening is not null or r.tells_end) and e.seq > r.after`)

/**
 * The state of each root and its next events, all in one snapshot: what a stream needs to know whether it is complete. In the
 * order of the cursors; `undefined` where nothing is new and more may come.
 */
export async function streamPages(
  db: Database,
  cursors: readonly { rootId: string; after: number; first: number }[],
): Promise<(StreamPage | undefined)[]> {
  const rows = await streams.run(
    db.hot,
    cursors.map(({ rootId, after, first }, page) => ({ page, rootId, after, first, bucket: bucketOf(rootId) })),
  )
  const byPage = groupBy(rows, (row) => row.page)
  return cursors.map(({ after, first }, page) => {
    const rowsOfPage = byPage.get(page)
    if (!rowsOfPage?.[0]) return undefined
    const { status, lastSeq } = rowsOfPage[0]
    const events = rowsOfPage.filter(({ event }) => event)
    return { status, lastSeq, events: pageOf(events, after, first) }
  })
}

/** The roots that changed since a moment, with their newest `seq`. Nobody can tell from `RECENT_MS` ago on: that is for the caller to heed. */
export function rootsChangedSince(db: Database, since: Date): Promise<{ rootId: string; seq: number }[]> {
  return db.reads<{ rootId: string; seq: number }[]>`
    select c.root as "rootId", max(c.seq) as seq from (
      select e.root_id as root, coalesce(e.last_seq, e.seq) as seq from action_do.written_events e where e.at >= ${since}
      union all
      select u.root, u.seq from action_do.recent_changes r cross join lateral unnest(r.roots, r.seqs) as u(root, seq)
      where r.at >= ${since}
    ) c
    group by c.root`
}

/** The durable clock's time now. */
export async function durableNow(db: Database): Promise<Date> {
  const [row] = await db.reads<{ now: Date }[]>`
    select (now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8))::timestamptz(3) as now`
  return row!.now
}
