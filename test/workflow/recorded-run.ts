import { groupBy } from '../../src/core/group-by.ts'
import { bucketOf, parseRunId, showRunId } from '../../src/core/ids.ts'
import type { client } from '../../src/db/client.ts'

type Query = ReturnType<typeof client>

interface StoredRun {
  readonly root: string
  readonly id: string
  readonly parent: string | null
  readonly key: string | null
  readonly index: number | null
  readonly status: string
  readonly undoes: string | null
}

interface StoredEvent {
  readonly root: string
  readonly seq: number
  readonly run: string
  readonly from: string | null
  readonly to: string
  readonly reason: string
  readonly transaction: string
}

/** A change of state, of what a path names; `undoing`: of the run that undoes it. */
export interface RecordedEvent {
  readonly seq: number
  readonly path: string
  readonly undoing: boolean
  readonly from: string | null
  readonly to: string
  readonly reason: string
  readonly transaction: string
}

/** A whole tree, as the database has it. */
export interface RecordedRun {
  readonly id: string
  /** By path: the root's is empty, `a`, `a[2]`, `a/b`. */
  readonly states: ReadonlyMap<string, string>
  /** `run_…` by path. */
  readonly runIds: ReadonlyMap<string, string>
  /** The runs that undo what a path names. */
  readonly undoIds: ReadonlyMap<string, string>
  readonly events: readonly RecordedEvent[]
}

/** Reads trees by the ids of their roots, each as `run_…`. */
export async function readRecorded(query: Query, ids: readonly string[]): Promise<Map<string, RecordedRun>> {
  const roots = ids.map((id) => parseRunId(id)!)
  const [runs, events] = await Promise.all([
    query<StoredRun[]>`select root_id as root, id, parent_id as parent, step_key as key, step_index as index,
      status::text, undoes from action_do.runs where root_id in ${query(roots)}`,
    query<
      StoredEvent[]
    >`select e.root_id as root, e.seq, e.run_id as run, e.from_status::text as from, e.to_status::text as to,
      e.reason::text, w.transaction
      from action_do.events e cross join lateral (
        select w.xmin::text as transaction from action_do.written_events w
        where w.bucket = e.bucket and w.root_id = e.root_id and w.seq <= e.seq order by w.seq desc limit 1
      ) w
      where e.bucket in ${query(roots.map(bucketOf))} and e.root_id in ${query(roots)} order by e.root_id, e.seq`,
  ])
  const runsOf = groupBy(runs, ({ root }) => root)
  const eventsOf = groupBy(events, ({ root }) => root)
  return new Map(
    roots.map((root, n) => [ids[n]!, recordedOf(ids[n]!, runsOf.get(root) ?? [], eventsOf.get(root) ?? [])]),
  )
}

function recordedOf(id: string, runs: readonly StoredRun[], events: readonly StoredEvent[]): RecordedRun {
  const byId = new Map(runs.map((run) => [run.id, run]))
  const paths = new Map(runs.map((run) => [run.id, pathOf(run, byId)]))
  const own = runs.filter(({ undoes }) => undoes === null)
  const undoing = runs.filter(({ undoes }) => undoes !== null)
  return {
    id,
    states: new Map(own.map((run) => [paths.get(run.id)!, run.status])),
    runIds: new Map(own.map((run) => [paths.get(run.id)!, showRunId(run.id)])),
    undoIds: new Map(undoing.map((run) => [paths.get(run.id)!, showRunId(run.id)])),
    events: events.map(({ seq, run, from, to, reason, transaction }) => {
      const undoing = byId.get(run)?.undoes != null
      return { seq, path: paths.get(run)!, undoing, from, to, reason, transaction }
    }),
  }
}

function pathOf({ key, index, parent }: StoredRun, byId: ReadonlyMap<string, StoredRun>): string {
  if (key === null || parent === null) return ''
  const above = byId.get(parent)!
  if (index !== null && above.key === key && above.index === null) return `${pathOf(above, byId)}[${index}]`
  const prefix = pathOf(above, byId)
  return prefix === '' ? key : `${prefix}/${key}`
}
