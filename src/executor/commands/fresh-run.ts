import type { RunRow } from '../../db/rows.ts'
import type { NewRun, SubmittedRow } from '../../db/transitions/submit-runs.ts'

/** The run as the insert left it: `inserted` says when, and whether it runs or queues. */
export function freshRun(row: NewRun, { status, at }: SubmittedRow): RunRow {
  const running = status === 'RUNNING'
  const startedAt = running ? at : null
  return {
    bucket: row.bucket,
    id: row.id,
    kind: row.kind,
    name: row.name,
    version: row.version,
    effect: row.effect,
    rootId: row.id,
    parentId: null,
    stepKey: null,
    stepIndex: null,
    size: null,
    nextIndex: null,
    graph: null,
    parentGraph: null,
    queue: null,
    paused: false,
    wait: null,
    undoes: null,
    resolved: null,
    linkedId: null,
    forkedFrom: null,
    idempotencyKey: row.idempotencyKey,
    fingerprint: Buffer.from(row.fingerprint, 'hex'),
    params: row.params,
    status,
    result: null,
    error: null,
    heartbeat: null,
    priority: row.priority,
    generation: 1,
    attempt: running ? 1 : 0,
    failures: 0,
    losses: 0,
    probe: false,
    fence: running ? 1 : 0,
    workerId: running ? row.workerId : null,
    availableAt: status === 'QUEUED' ? at : row.runAt,
    lastSeq: 1,
    createdAt: at,
    startedAt,
    attemptStartedAt: startedAt,
    budgetStartedAt: startedAt,
    finishedAt: null,
  }
}
