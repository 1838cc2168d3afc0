import type { Effect } from '../../core/effect.ts'
import type { RunError } from '../../core/failure.ts'
import type { RunKind, RunStatus } from '../../core/status.ts'

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
  /** The worker whose attempt succeeded, while that has no row of its own. */
  succeededBy: string | null
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
  /** Of a root that this node has made, where it is at hand. Who gives it other params reads it under its lock: without this. */
  made?: Made | undefined
}

/** Of a result, or of params, that whoever keeps the row need not read. In characters of their JSON. */
const MAX_KEPT_JSON = 1_000

function isSmall(json: string | null): boolean {
  return json === null || json.length <= MAX_KEPT_JSON
}

/** What was to be written of a row is written. */
export function haveWritten(row: TreeRow): void {
  if (row.result !== undefined) row.writtenResult = isSmall(row.result) ? row.result : undefined
  if (row.params !== undefined && !isSmall(row.params)) row.made = undefined
  row.params = undefined
  row.result = undefined
  row.heartbeat = undefined
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
    succeededBy: row.succeededBy,
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
  }
}
