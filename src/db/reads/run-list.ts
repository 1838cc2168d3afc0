import type { PendingQuery, Row } from 'postgres'
import { bucketOf } from '../../core/ids.ts'
import type { RunKind, RunStatus } from '../../core/status.ts'
import type { Database } from '../client.ts'
import { RUN_COLUMNS, type RunRow } from '../rows.ts'

export interface RunFilter {
  readonly status?: readonly RunStatus[] | undefined
  readonly name?: string | undefined
  readonly kind?: RunKind | undefined
  readonly createdAfter?: Date | undefined
  readonly createdBefore?: Date | undefined
  /** One of these: with name and kind the id of a run is known, so that this is a look-up by primary key. */
  readonly ids?: readonly string[] | undefined
}

/** Where a page begins: runs are ordered by (createdAt, id), newest first. */
export interface RunCursor {
  readonly createdAt: Date
  readonly id: string
}

export interface RunPage {
  readonly limit: number
  readonly filter: RunFilter
  /** Older than this one. */
  readonly after?: RunCursor | undefined
  /** Newer than this one. */
  readonly before?: RunCursor | undefined
  /** The newest of the range, or its oldest; the answer is newest first either way. */
  readonly from: 'newest' | 'oldest'
}

/**
 * A page of root runs. Each status is looked up by itself, with its name written into the statement: that is what lets the
 * planner use the partial index that holds the runs of that state.
 */
export async function listRuns(db: Database, page: RunPage): Promise<RunRow[]> {
  const sql = db.reads
  const { limit, filter } = page
  const places = placesOf(db, filter)
  if (places.length === 0) return []
  const inner = page.from === 'newest' ? sql`r.created_at desc, r.id desc` : sql`r.created_at, r.id`
  const outer = page.from === 'newest' ? sql`r."createdAt" desc, r.id desc` : sql`r."createdAt", r.id`
  const branches = places.map((place) => {
    const where = [sql`r.parent_id is null`, ...conditions(db, page)]
    return sql`(select ${sql.unsafe(RUN_COLUMNS)} from ${place}
      and ${where.reduce((all, one) => sql`${all} and ${one}`)} order by ${inner} limit ${limit})`
  })
  const rows = await sql<RunRow[]>`
    select * from (${branches.reduce((all, one) => sql`${all} union all ${one}`)}) r order by ${outer} limit ${limit}`
  return page.from === 'newest' ? [...rows] : [...rows].reverse()
}

/** How many root runs a filter finds, counted up to one more than `cap`. */
export async function countRuns(db: Database, filter: RunFilter, cap: number): Promise<number> {
  const sql = db.reads
  let count = 0
  for (const place of placesOf(db, filter)) {
    const where = [sql`r.parent_id is null`, ...conditions(db, { limit: 0, filter, from: 'newest' })]
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from (
        select from ${place} and ${where.reduce((all, one) => sql`${all} and ${one}`)} limit ${cap + 1}) r`
    count += row?.count ?? 0
    if (count > cap) break
  }
  return count
}

/** Where the runs of a filter's statuses are found: what stands between FROM and the other conditions. */
function placesOf({ reads: sql }: Database, { status }: RunFilter): PendingQuery<Row[]>[] {
  if (!status) return [sql`action_do.runs r where true`]
  return [...new Set(status)].flatMap((one) => {
    // one of RUN_STATUSES, as GraphQL has checked
    const named = sql.unsafe(`'${one}'`)
    if (one === 'SUCCEEDED') return [sql`action_do.runs r where r.status = ${named}`]
    const indexed = sql`action_do.runs r where r.indexed_status = ${named}`
    return one === 'RUNNING' ? [indexed, sql`${heldRuns(sql)} where true`] : [indexed]
  })
}

/** The actions that are RUNNING: what workers were given, as far as they hold it. */
function heldRuns(sql: Database['reads']): PendingQuery<Row[]> {
  return sql`(
      select distinct g.bucket, g.id from action_do.holds h cross join lateral unnest(h.buckets, h.runs) as g(bucket, id)
    ) g cross join lateral (
      select r.* from action_do.runs r where r.bucket = g.bucket and r.id = g.id and r.status = 'RUNNING' and r.worker_id is not null
      offset 0
    ) r`
}

function conditions(db: Database, { filter, after, before }: RunPage): PendingQuery<Row[]>[] {
  const sql = db.reads
  const all: PendingQuery<Row[]>[] = []
  if (filter.ids) {
    const each = filter.ids.map((id) => sql`(r.bucket = ${bucketOf(id)} and r.id = ${id})`)
    all.push(sql`(${each.reduce((any, one) => sql`${any} or ${one}`)})`)
  }
  if (filter.name !== undefined) all.push(sql`r.name = ${filter.name}`)
  if (filter.kind !== undefined) all.push(sql`r.kind = ${filter.kind}`)
  if (filter.createdAfter) all.push(sql`r.created_at > ${filter.createdAfter}`)
  if (filter.createdBefore) all.push(sql`r.created_at < ${filter.createdBefore}`)
  if (after) all.push(sql`(r.created_at, r.id) < (${after.createdAt}, ${after.id}::uuid)`)
  if (before) all.push(sql`(r.created_at, r.id) > (${before.createdAt}, ${before.id}::uuid)`)
  return all
}
