import type { TreeRow } from '../../db/tree/tree-row.ts'

/** What tells a row that is about to be made from any other. */
type Given = Pick<
  TreeRow,
  | 'bucket'
  | 'id'
  | 'kind'
  | 'name'
  | 'version'
  | 'effect'
  | 'rootId'
  | 'parentId'
  | 'stepKey'
  | 'stepIndex'
  | 'status'
  | 'priority'
  | 'graph'
  | 'parentGraph'
  | 'pendingCount'
  | 'depth'
  | 'params'
>

/** A row before anything has happened to it. */
export function newRow(given: Given, nowMs: number): TreeRow {
  return {
    bucket: given.bucket,
    id: given.id,
    kind: given.kind,
    name: given.name,
    version: given.version,
    effect: given.effect,
    rootId: given.rootId,
    parentId: given.parentId,
    stepKey: given.stepKey,
    stepIndex: given.stepIndex,
    status: given.status,
    error: null,
    priority: given.priority,
    generation: 1,
    attempt: 0,
    failures: 0,
    losses: 0,
    probe: false,
    fence: 0,
    workerId: null,
    succeededBy: null,
    availableAt: null,
    // of what has no event yet, whoever watches begins with the whole stream
    lastSeq: 0,
    createdAt: nowMs,
    startedAt: null,
    attemptStartedAt: null,
    budgetStartedAt: null,
    finishedAt: null,
    graph: given.graph,
    parentGraph: given.parentGraph,
    queue: null,
    paused: false,
    pendingCount: given.pendingCount,
    liveCount: 0,
    activeCount: 0,
    failedCount: 0,
    indeterminateCount: 0,
    size: null,
    nextIndex: null,
    resolved: null,
    wait: null,
    waitName: null,
    wakeAt: null,
    undoes: null,
    linkedId: null,
    limitKey: null,
    forkedFrom: null,
    depth: given.depth,
    endedSeq: null,
    params: given.params,
    result: undefined,
    heartbeat: undefined,
    writtenResult: undefined,
    made: undefined,
  }
}
