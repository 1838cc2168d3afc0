import type { Effect } from '../../core/effect.ts'
import type { RunError } from '../../core/failure.ts'
import type { RunKind, RunStatus } from '../../core/status.ts'
import { type Column, type Columns, jsonText } from '../batch-statement.ts'

/** How an ended step counts for those that depend on it: as completed, or as skipped. Null: it holds them up. */
export type Resolution = 'live' | 'dead'

/** What a root was made with. */
interface Made {
  readonly idempotencyKey: string | null
  /** Hexadecimal. */
  readonly fingerprint: string
  readonly params: unknown
}

/**
 * A run of a tree as a transaction works on it, under the lock of its root. Times are milliseconds of the durable clock.
 * What may be large is read only where it is needed, and written only where it changed.
 */
export interface TreeRow {
  readonly bucket: number
  readonly id: string
  readonly kind: RunKind
  readonly name: string
  readonly version: string
  effect: Effect
  readonly rootId: string
  readonly parentId: string | null
  readonly stepKey: string | null
  readonly stepIndex: number | null
  status: RunStatus
  error: RunError | null
  priority: number
  generation: number
  attempt: number
  failures: number
  losses: number
  probe: boolean
  fence: number
  workerId: string | null
  availableAt: number | null
  lastSeq: number
  readonly createdAt: number
  startedAt: number | null
  attemptStartedAt: number | null
  budgetStartedAt: number | null
  finishedAt: number | null
  graph: string | null
  readonly parentGraph: string | null
  queue: string | null
  paused: boolean
  pendingCount: number
  liveCount: number
  activeCount: number
  failedCount: number
  indeterminateCount: number
  size: number | null
  nextIndex: number | null
  resolved: Resolution | null
  wait: unknown
  waitName: string | null
  wakeAt: number | null
  readonly undoes: string | null
  linkedId: string | null
  limitKey: string | null
  forkedFrom: string | null
  readonly depth: number
  endedSeq: number | null
  /** JSON text to write; `undefined` leaves what is there. */
  params?: string | undefined
  /** JSON text to write, null to take it away; `undefined` leaves what is there. */
  result?: string | null | undefined
  heartbeat?: null | undefined
  /** The result that is written, where it is at hand: `undefined` where it is to be read. */
  writtenResult?: string | null | undefined
  /** Of a root that this node has made, where it is at hand. */
  made?: Made | undefined
  /** The fence that the row must have for anything to be written; `undefined` where its lock is held. */
  fenceBefore?: number | undefined
}

/** Of a result, or of params, that whoever keeps the row need not read. In characters of their JSON. */
const MAX_KEPT_JSON = 1_000

function isSmall(json: string | null): boolean {
  return json === null || json.length <= MAX_KEPT_JSON
}

/** What was to be written of a row is written. */
export function haveWritten(row: TreeRow): void {
  if (row.result !== undefined) row.writtenResult = isSmall(row.result) ? row.result : undefined
  if (row.made && row.params !== undefined)
    row.made = isSmall(row.params) ? { ...row.made, params: JSON.parse(row.params) } : undefined
  row.params = undefined
  row.result = undefined
  row.heartbeat = undefined
  row.fenceBefore = undefined
}

/** A row as it was read. Named member by member: an object of one shape, made at once; those of postgres.js are dictionaries. */
export function shaped(row: TreeRow): TreeRow {
  return {
    bucket: row.bucket,
    id: row.id,
    kind: row.kind,
    name: row.name,
    version: row.version,
    effect: row.effect,
    rootId: row.rootId,
    parentId: row.parentId,
    stepKey: row.stepKey,
    stepIndex: row.stepIndex,
    status: row.status,
    error: row.error,
    priority: row.priority,
    generation: row.generation,
    attempt: row.attempt,
    failures: row.failures,
    losses: row.losses,
    probe: row.probe,
    fence: row.fence,
    workerId: row.workerId,
    availableAt: row.availableAt,
    lastSeq: row.lastSeq,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    attemptStartedAt: row.attemptStartedAt,
    budgetStartedAt: row.budgetStartedAt,
    finishedAt: row.finishedAt,
    graph: row.graph,
    parentGraph: row.parentGraph,
    queue: row.queue,
    paused: row.paused,
    pendingCount: row.pendingCount,
    liveCount: row.liveCount,
    activeCount: row.activeCount,
    failedCount: row.failedCount,
    indeterminateCount: row.indeterminateCount,
    size: row.size,
    nextIndex: row.nextIndex,
    resolved: row.resolved,
    wait: row.wait,
    waitName: row.waitName,
    wakeAt: row.wakeAt,
    undoes: row.undoes,
    linkedId: row.linkedId,
    limitKey: row.limitKey,
    forkedFrom: row.forkedFrom,
    depth: row.depth,
    endedSeq: row.endedSeq,
    params: undefined,
    result: undefined,
    heartbeat: undefined,
    writtenResult: undefined,
    made: undefined,
    fenceBefore: undefined,
  }
}

/**
 * The columns of a `TreeRow`, with their types and, third, what most rows have there: that is sent as null, since a column of nothing
 * else costs next to nothing. Reading, inserting and updating derive from this one table.
 */
const COLUMNS = {
  bucket: ['bucket', 'int2'],
  id: ['id', 'uuid'],
  kind: ['kind', 'action_do.run_kind'],
  name: ['name', 'text'],
  version: ['version', 'text'],
  effect: ['effect', 'action_do.effect'],
  rootId: ['root_id', 'uuid'],
  parentId: ['parent_id', 'uuid'],
  stepKey: ['step_key', 'text'],
  stepIndex: ['step_index', 'int4'],
  status: ['status', 'action_do.run_status'],
  error: ['error', 'json'],
  priority: ['priority', 'int2', 0],
  generation: ['generation', 'int4', 1],
  attempt: ['attempt', 'int4', 0],
  failures: ['failures', 'int2', 0],
  losses: ['losses', 'int2', 0],
  probe: ['probe', 'bool', false],
  fence: ['fence', 'int4'],
  workerId: ['worker_id', 'text'],
  availableAt: ['available_at', 'moment'],
  lastSeq: ['last_seq', 'int4'],
  createdAt: ['created_at', 'moment'],
  startedAt: ['started_at', 'moment'],
  attemptStartedAt: ['attempt_started_at', 'moment'],
  budgetStartedAt: ['budget_started_at', 'moment'],
  finishedAt: ['finished_at', 'moment'],
  graph: ['graph', 'text'],
  parentGraph: ['parent_graph', 'text'],
  queue: ['queue', 'text'],
  paused: ['paused', 'bool', false],
  pendingCount: ['pending_count', 'int4', 0],
  liveCount: ['live_count', 'int4', 0],
  activeCount: ['active_count', 'int4', 0],
  failedCount: ['failed_count', 'int4', 0],
  indeterminateCount: ['indeterminate_count', 'int4', 0],
  size: ['size', 'int4'],
  nextIndex: ['next_index', 'int4'],
  resolved: ['resolved', 'text'],
  wait: ['wait', 'json'],
  waitName: ['wait_name', 'text'],
  wakeAt: ['wake_at', 'moment'],
  undoes: ['undoes', 'uuid'],
  linkedId: ['linked_id', 'uuid'],
  limitKey: ['limit_key', 'text'],
  forkedFrom: ['forked_from', 'uuid'],
  depth: ['depth', 'int2'],
  endedSeq: ['ended_seq', 'int4'],
} as const satisfies Record<
  Exclude<keyof TreeRow, 'params' | 'result' | 'heartbeat' | 'writtenResult' | 'made' | 'fenceBefore'>,
  readonly [column: string, type: string, usual?: number | boolean]
>

/** What never changes once a run is there. */
const FIXED = new Set<string>([
  'bucket',
  'id',
  'kind',
  'name',
  'version',
  'rootId',
  'parentId',
  'stepKey',
  'stepIndex',
  'createdAt',
  'parentGraph',
  'undoes',
  'depth',
])

const entries = Object.entries<readonly [column: string, type: string, usual?: number | boolean]>(COLUMNS)
const isMoment = (type: string) => type === 'moment'

function sqlValue(row: string, member: string, type: string, usual?: number | boolean): string {
  const value = `${row}."${member}"`
  if (isMoment(type)) return `to_timestamp(${value} / 1000.0)::timestamptz(3)`
  if (type === 'json') return `${value}::json`
  return usual === undefined ? value : `coalesce(${value}, ${usual}::${type})`
}

/** The select list of a `TreeRow` from `runs r`. */
export const TREE_COLUMNS = entries
  .map(([member, [column, type]]) =>
    isMoment(type) ? `(extract(epoch from r.${column}) * 1000)::float8 as "${member}"` : `r.${column} as "${member}"`,
  )
  .join(', ')

const mutable = entries.filter(([member]) => !FIXED.has(member))
const address = entries.filter(([member]) => member === 'bucket' || member === 'id')

function unless(usual: unknown, value: unknown) {
  return value === usual ? null : (value as number | boolean)
}

/** Times are sent as milliseconds, JSON as text. */
function sent(members: typeof entries): Record<string, Column<TreeRow>> {
  return Object.fromEntries(
    members.map(([member, [, type, usual]]): [string, Column<TreeRow>] => {
      if (isMoment(type)) return [member, 'float8']
      if (type === 'json') return [member, ['text', (row) => jsonText(row[member as keyof TreeRow])]]
      return [member, usual === undefined ? type : [type, (row) => unless(usual, row[member as keyof TreeRow])]]
    }),
  )
}

/** What is sent of a row to insert. */
export const TREE_INSERTED: Columns<TreeRow> = { ...sent(entries), params: 'text', result: 'text' }

/** What is sent of a row to update: not what never changes. */
export const TREE_UPDATED: Columns<TreeRow> = {
  ...sent([...address, ...mutable]),
  params: 'text',
  result: 'text',
  setsResult: ['bool', ({ result }) => (result === undefined ? null : true)],
  clearsHeartbeat: ['bool', ({ heartbeat }) => (heartbeat === null ? true : null)],
  fenceBefore: 'int4',
}

/** The assignments of an update from such rows. */
export function treeAssignments(row: string): string {
  return mutable
    .map(([member, [column, type, usual]]) => `${column} = ${sqlValue(row, member, type, usual)}`)
    .join(', ')
}

export const TREE_INSERT_COLUMNS = entries.map(([, [column]]) => column).join(', ')

export function treeInsertValues(row: string): string {
  return entries.map(([member, [, type, usual]]) => sqlValue(row, member, type, usual)).join(', ')
}
