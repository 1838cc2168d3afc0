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
  /** With name and kind the id of the run is known, so that this is a look-up by primary key. */
  readonly id?: string | undefined
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

/** A page of root runs. */
export async function listRuns(db: Database, page: RunPage): Promise<RunRow[]> {
  const sql = db.reads
  const order = page.from === 'newest' ? sql`r.created_at desc, r.id desc` : sql`r.created_at, r.id`
  const where = [sql`r.parent_id is null`, ...conditions(db, page)]
  const rows = await sql<RunRow[]>`
    select ${sql.unsafe(RUN_COLUMNS)} from action_do.runs r
    where ${where.reduce((all, one) => sql`${all} and ${one}`)}
    order by ${order}
    limit ${page.limit}`
  return page.from === 'newest' ? [...rows] : [...rows].reverse()
}

function conditions(db: Database, { filter, after, before }: RunPage): PendingQuery<Row[]>[] {
  const sql = db.reads
  const all: PendingQuery<Row[]>[] = []
  if (filter.id !== undefined) all.push(sql`r.bucket = ${bucketOf(filter.id)} and r.id = ${filter.id}`)
  if (filter.name !== undefined) all.push(sql`r.name = ${filter.name}`)
  if (filter.kind !== undefined) all.push(sql`r.kind = ${filter.kind}`)
  if (filter.status !== undefined)
    all.push(sql`r.status = any(${`{${filter.status.join(',')}}`}::action_do.run_status[])`)
  if (filter.createdAfter) all.push(sql`r.created_at > ${filter.createdAfter}`)
  if (filter.createdBefore) all.push(sql`r.created_at < ${filter.createdBefore}`)
  if (after) all.push(sql`(r.created_at, r.id) < (${after.createdAt}, ${after.id}::uuid)`)
  if (before) all.push(sql`(r.created_at, r.id) > (${before.createdAt}, ${before.id}::uuid)`)
  return all
}
