import type { RunError } from '../../core/failure.ts'
import { hasEnded, isActive, type RunStatus } from '../../core/status.ts'
import { type EventReason, isLegal } from '../../core/transitions.ts'
import type { Turn } from '../../db/limits.ts'
import type { StatementRunner } from '../../db/tree/statement-runner.ts'
import { differsInSeqOnly } from '../../db/tree/tree-columns.ts'
import { haveWritten, type Resolution, type TreeRow } from '../../db/tree/tree-row.ts'
import type { NewAttempt, NewEvent } from '../../db/tree/write-trees.ts'
import { type GraphSource, type KnownTree, LoadedTree } from './loaded-tree.ts'
import { hasBegun } from './queues.ts'
import { stepFailed } from './step-errors.ts'

/** What a transition brings along. */
export interface Change {
  /** How an ended step counts for its dependents; absent: it holds them up. */
  readonly resolved?: Resolution
  readonly error?: RunError | null
  /** JSON text. */
  readonly result?: string
  readonly attempt?: number
  readonly actor?: string
  readonly data?: object | undefined
}

/**
 * The rows of one tree that a transaction works on, under the lock of the root; what changes is written at its end. Every
 * change of state goes through `transition`, which counts it where it is counted: the event in the root, the step in its parent.
 */
export class Tree extends LoadedTree {
  private readonly fresh = new Set<TreeRow>()
  private readonly touched = new Set<TreeRow>()
  readonly events: NewEvent[] = []
  readonly attempts: NewAttempt[] = []
  /** Turns under a limit that are given back. */
  readonly turnsOver: Turn[] = []
  /** Workflows and groups of which nothing moves any more. */
  readonly idle = new Set<TreeRow>()
  /** Lists that ended after those that depend on them had gone on: nobody needs to hear of it. */
  readonly heardBefore = new Set<TreeRow>()
  readonly nowMs: number
  private readonly rootId: string
  private readonly writtenRoot: TreeRow | undefined
  /** Its row stays as it is. */
  private sparesRoot = false

  constructor(rootId: string, nowMs: number, run: StatementRunner, source: GraphSource, known?: KnownTree) {
    super(run, source, known)
    this.rootId = rootId
    this.nowMs = nowMs
    this.writtenRoot = known?.writtenRoot
  }

  get root(): TreeRow {
    return this.get(this.rootId)
  }

  /** Rows to write, the root first: so they are locked everywhere. */
  get updates(): TreeRow[] {
    const { root } = this
    const updates: TreeRow[] = []
    if (this.touched.has(root) && !this.fresh.has(root) && !this.sparesRoot) updates.push(root)
    for (const row of this.touched) if (row !== root && !this.fresh.has(row)) updates.push(row)
    return updates
  }

  get inserts(): TreeRow[] {
    return [...this.fresh]
  }

  get changed(): boolean {
    return this.touched.size + this.fresh.size > 0
  }

  /** Whether the root is made here. */
  get isNew(): boolean {
    return this.fresh.has(this.root)
  }

  /** How many rows there are to write. */
  get size(): number {
    return this.touched.size + this.fresh.size + this.events.length + this.attempts.length
  }

  /** What it has changed is committed. */
  haveCommitted(): void {
    for (const row of this.touched) haveWritten(row)
    for (const row of this.fresh) haveWritten(row)
  }

  /**
   * Whoever knows the tree as it was learns that it has changed: the fence of its root has grown, or, where nothing of the root changes
   * but its newest event, the number that they would give to the next is taken. The fence of a root action is its worker's.
   */
  renew(): void {
    const { root, writtenRoot } = this
    this.sparesRoot = writtenRoot !== undefined && this.events.length > 0 && differsInSeqOnly(root, writtenRoot)
    if (root.kind === 'WORKFLOW' && !this.sparesRoot) this.touch(root).fence++
  }

  /** Adds a run. */
  insert(row: TreeRow): void {
    this.rows.set(row.id, row)
    this.fresh.add(row)
  }

  /** Marks a row as changed in something else than its state. */
  touch(row: TreeRow): TreeRow {
    this.touched.add(row)
    return row
  }

  /** The first event of a run that the transaction made. */
  create(row: TreeRow, to: RunStatus, reason: EventReason, change: Change = {}): void {
    row.status = to
    this.record(row, null, to, reason, change)
  }

  /** Changes a run's state. Throws where the table of transitions does not have the change: a bug, not an outcome. */
  transition(row: TreeRow, to: RunStatus, reason: EventReason, change: Change = {}): void {
    const from = row.status
    if (!isLegal({ from, to, reason })) throw new Error(`no transition leads from ${from} to ${to} by ${reason}`)
    const held = holdsUp(row)
    if (row.succeededBy !== null) this.keepSuccess(row, row.succeededBy)
    row.status = to
    const early = row.resolved !== null && !hasEnded(from) && hasEnded(to)
    if (early) this.heardBefore.add(row)
    else {
      this.heardBefore.delete(row)
      // those that depend on it have heard of it, and do not hear of its being undone
      const told = from === 'FAILED' && to === 'COMPENSATING' ? row.resolved : null
      row.resolved = hasEnded(to) ? (change.resolved ?? null) : told
    }
    row.finishedAt = hasEnded(to) ? this.nowMs : null
    row.workerId = null
    if (to !== 'QUEUED' && to !== 'SCHEDULED') row.availableAt = null
    if (to !== 'WAITING') this.endWait(row)
    if (change.error !== undefined) row.error = change.error
    else if (!KEEPS_ERROR.has(to)) row.error = null
    if (change.result !== undefined) row.result = change.result
    else if (!KEEPS_RESULT.has(to) && KEEPS_RESULT.has(from)) row.result = null
    this.record(row, from, to, reason, change)
    if (hasEnded(to)) this.end(row)
    this.count(row, from, held)
  }

  /** The attempt that succeeded can be read off its run no longer: it gets a row. */
  private keepSuccess(row: TreeRow, workerId: string): void {
    this.attemptEnded(row, { status: 'SUCCEEDED', workerId, error: null }, row.finishedAt ?? this.nowMs)
    row.succeededBy = null
  }

  /** Writes down how the latest attempt of a run ended: never before it began, whatever the clocks say. */
  attemptEnded(row: TreeRow, end: Pick<NewAttempt, 'status' | 'workerId' | 'error'>, atMs = this.nowMs): void {
    const startedAt = row.attemptStartedAt ?? atMs
    this.attempts.push({
      bucket: row.bucket,
      runId: row.id,
      number: row.attempt,
      status: end.status,
      workerId: end.workerId,
      startedAt,
      finishedAt: Math.max(atMs, startedAt),
      error: end.error,
    })
  }

  private end(row: TreeRow): void {
    row.endedSeq = row.lastSeq
    // the key stays: a retry waits for its turn again
    if (row.limitKey !== null) this.turnsOver.push({ key: row.limitKey, runId: row.id, rootId: row.rootId })
  }

  /** A step that failed counts no more: it is beyond the end of its list. */
  dismiss(row: TreeRow): void {
    const parent = this.parentOf(row)
    if (parent && holdsUp(row)) this.touch(parent).failedCount--
    if (hasEnded(row.status)) this.touch(row).resolved ??= 'dead'
  }

  private endWait(row: TreeRow): void {
    // one of a list keeps the key that was computed for it: it is done again with that
    if (row.stepIndex === null || hasBegun(row)) row.wait = null
    row.waitName = null
    // of a workflow it is the deadline, which ends with it
    if (row.kind !== 'WORKFLOW' || hasEnded(row.status)) row.wakeAt = null
  }

  private count(row: TreeRow, from: RunStatus, held: boolean): void {
    const parent = this.parentOf(row)
    if (!parent) return
    parent.activeCount += Number(isActive(row.status)) - Number(isActive(from))
    parent.indeterminateCount += Number(row.status === 'INDETERMINATE') - Number(from === 'INDETERMINATE')
    const holds = holdsUp(row)
    parent.failedCount += Number(holds) - Number(held)
    if (holds && !held) parent.error ??= stepFailed(row)
    if (parent.activeCount === 0) this.idle.add(parent)
    this.touch(parent)
  }

  /** Writes an event without a change of state: a pause. */
  note(row: TreeRow, reason: EventReason, change: Change): void {
    this.record(row, row.status, row.status, reason, change)
  }

  private record(row: TreeRow, from: RunStatus | null, to: RunStatus, reason: EventReason, change: Change): void {
    const { root } = this
    const seq = root.lastSeq + 1
    root.lastSeq = seq
    row.lastSeq = seq
    this.touch(root)
    this.touch(row)
    this.events.push({
      bucket: row.bucket,
      rootId: row.rootId,
      seq,
      runId: row.id,
      at: this.nowMs,
      stepKey: row.stepKey,
      from,
      to,
      reason,
      attempt: change.attempt ?? null,
      error: change.error ?? null,
      actor: change.actor ?? null,
      data: change.data ?? null,
    })
  }
}

const KEEPS_ERROR = new Set<RunStatus>([
  'FAILED',
  'CANCELED',
  'INDETERMINATE',
  'RUNNING',
  'COMPENSATING',
  'COMPENSATED',
])
/** The states of a run that has the result of what it did. */
export const KEEPS_RESULT = new Set<RunStatus>(['SUCCEEDED', 'SKIPPED', 'COMPENSATING', 'COMPENSATED'])

/** A step that ended without being completed, and nobody said that its dependents may go on. */
function holdsUp({ status, resolved, undoes }: TreeRow): boolean {
  // what undoes a step is counted by that step
  if (undoes !== null) return false
  return (status === 'FAILED' || status === 'CANCELED' || status === 'COMPENSATED') && resolved === null
}
