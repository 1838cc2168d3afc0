import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import { KEEPS_RESULT } from './tree.ts'

const NOTHING = Buffer.alloc(0)

/**
 * A root as a commit has left it, for whoever waits for it; `undefined` where that is not at hand, and is to be read. To be asked before
 * `haveWritten`.
 */
export function rootRun(root: TreeRow): RunRow | undefined {
  const { made, result } = root
  if (!made || (result === undefined && KEEPS_RESULT.has(root.status))) return undefined
  const run = asRunRow(root, made.params)
  return Object.assign(run, { idempotencyKey: made.idempotencyKey, fingerprint: Buffer.from(made.fingerprint, 'hex') })
}

/** A step as the pipeline of an attempt takes it. */
export function asRunRow(row: TreeRow, params: unknown): RunRow {
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
    size: row.size,
    nextIndex: row.nextIndex,
    graph: row.graph,
    parentGraph: row.parentGraph,
    queue: row.queue,
    paused: row.paused,
    wait: row.wait,
    undoes: row.undoes,
    resolved: row.resolved,
    linkedId: row.linkedId,
    forkedFrom: row.forkedFrom,
    idempotencyKey: null,
    fingerprint: NOTHING,
    params,
    status: row.status,
    result: row.result === undefined || row.result === null ? null : JSON.parse(row.result),
    error: row.error,
    heartbeat: null,
    priority: row.priority,
    generation: row.generation,
    attempt: row.attempt,
    failures: row.failures,
    losses: row.losses,
    probe: row.probe,
    fence: row.fence,
    workerId: row.workerId,
    availableAt: moment(row.availableAt),
    lastSeq: row.lastSeq,
    createdAt: new Date(row.createdAt),
    startedAt: moment(row.startedAt),
    attemptStartedAt: moment(row.attemptStartedAt),
    budgetStartedAt: moment(row.budgetStartedAt),
    finishedAt: moment(row.finishedAt),
  }
}

function moment(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms)
}
