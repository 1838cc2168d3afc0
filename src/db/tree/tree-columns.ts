import { type Column, type Columns, jsonText } from '../batch-statement.ts'
import { LAST_SEQ } from '../last-seq.ts'
import type { TreeRow } from './tree-row.ts'

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
  succeededBy: ['succeeded_by', 'text'],
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
  Exclude<keyof TreeRow, 'params' | 'result' | 'heartbeat' | 'writtenResult' | 'made'>,
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

/** SQL for the time that milliseconds name. */
export const moment = (ms: string) => `to_timestamp(${ms} / 1000.0)::timestamptz(3)`

function sqlValue(row: string, member: string, type: string, usual?: number | boolean): string {
  const value = `${row}."${member}"`
  if (isMoment(type)) return moment(value)
  if (type === 'json') return `${value}::json`
  return usual === undefined ? value : `coalesce(${value}, ${usual}::${type})`
}

/** The select list of a `TreeRow` from `runs r`. */
export const TREE_COLUMNS = entries
  .map(([member, [column, type]]) => {
    if (isMoment(type)) return `(extract(epoch from r.${column}) * 1000)::float8 as "${member}"`
    return `${member === 'lastSeq' ? LAST_SEQ : `r.${column}`} as "${member}"`
  })
  .join(', ')

const mutable = entries.filter(([member]) => !FIXED.has(member))
const address = entries.filter(([member]) => member === 'bucket' || member === 'id')

const COMPARED = mutable.map(([member]) => member as keyof TreeRow).filter((member) => member !== 'lastSeq')

/**
 * Whether nothing is to be written of a row but the number of its newest event: it is else as it was.
 * @param before a copy, as it is written. Of large values it tells nothing: those to write are at hand in `row`, and only those.
 */
export function differsInSeqOnly(row: TreeRow, before: TreeRow): boolean {
  if (row.params !== undefined || row.result !== undefined || row.heartbeat !== undefined) return false
  return COMPARED.every((member) => row[member] === before[member])
}

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
