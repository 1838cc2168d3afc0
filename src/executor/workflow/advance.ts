import type { RunError } from '../../core/failure.ts'
import { canceledByJoin, EVERY_STEP, onErrorOf } from '../../core/workflow/graph.ts'
import { joinVerdict } from '../../core/workflow/join.ts'
import type { Turn } from '../../db/limits.ts'
import type { Resolution, TreeRow } from '../../db/tree/tree-row.ts'
import type { RegisteredAction } from '../registry.ts'
import { cancelStep } from './cancel-tree.ts'
import { beginCompensation, callsForCompensation, compensationEnded } from './compensate.ts'
import { completeList } from './enough.ts'
import { enterStep } from './enter-step.ts'
import { finish } from './finish.ts'
import { groupChildEnded } from './group-turn.ts'
import type { Host } from './host.ts'
import { Outcomes } from './outcomes.ts'
import { stepFailed } from './step-errors.ts'
import type { Tree } from './tree.ts'

/** A run that the transaction gives to this node's worker; its handler begins once the commit is there. */
export interface Started {
  readonly row: TreeRow
  /** Of this begin: the same transaction may take the run away, and begin it again. */
  readonly fence: number
  readonly params: unknown
  readonly action: RegisteredAction
}

function canFinish({ status, kind }: TreeRow): boolean {
  return kind !== 'ACTION' && (status === 'RUNNING' || status === 'COMPENSATING')
}

/** A step that waits for a run under its business key. */
export interface Link {
  readonly rowId: string
  readonly rootId: string
  readonly linkedId: string
  readonly name: string
  readonly key: string
  readonly params: unknown
  /** The event of the linked run that the step has failed with before, or 0. */
  readonly known: number
}

/**
 * Lets a tree go on from what has happened to it: each step that came to rest is counted by those that depend on it, what
 * may run begins, what has nothing left to do ends. A worklist instead of recursion, so that no graph is too deep for it.
 * Everything happens in memory, under the root's lock; the transaction writes it at its end.
 */
export class Advance {
  readonly tree: Tree
  readonly host: Host
  readonly outcomes: Outcomes
  /** Whether this node's worker may be given runs. */
  readonly leased: boolean
  readonly started: Started[] = []
  /** Queues that something was put into. */
  readonly queued = new Set<string>()
  /** Runs that were RUNNING and are not any more, by another hand than their worker's. */
  readonly revoked: string[] = []
  /** Something waits for a time. */
  timed = false
  /** Steps that wait for their turn from now on. */
  readonly turnsWanted: (Turn & { readonly max: number })[] = []
  /** Steps that wait for a run under their business key from now on. */
  readonly links: Link[] = []
  private rested: TreeRow[] = []

  constructor(tree: Tree, host: Host, leased: boolean) {
    this.tree = tree
    this.host = host
    this.leased = leased
    this.outcomes = new Outcomes(tree, host)
  }

  /** A run came to rest, or moves again: whoever counts it hears of it when the tree is settled. */
  rest(row: TreeRow): void {
    this.outcomes.forget(row.id)
    this.rested.push(row)
  }

  /** Follows everything through until nothing is left that follows from it. */
  async settle(): Promise<void> {
    for (;;) {
      if (this.rested.length > 0) await this.settleWave(this.rested.splice(0))
      else if (!(await this.finishIdle())) return
    }
  }

  private async settleWave(wave: readonly TreeRow[]): Promise<void> {
    await this.tree.load(wave.flatMap((row) => this.dependentsOf(row)))
    for (const row of wave) {
      const parent = this.tree.parentOf(row)
      if (!parent) continue
      if (row.undoes !== null) {
        await compensationEnded(this, row)
        continue
      }
      if (parent.kind === 'WORKFLOW' && callsForCompensation(this.tree, row))
        await beginCompensation(this, parent, parent.error)
      if (parent.kind === 'GROUP') await groupChildEnded(this, parent, row)
      else await this.tellDependents(parent, row)
    }
  }

  /** The ids of those that a step's end concerns, so that a wave is one read. */
  private dependentsOf(row: TreeRow): string[] {
    const parent = this.tree.parentOf(row)
    if (!parent || parent.kind === 'GROUP' || row.resolved === null) return []
    const keys = this.tree.graphOf(parent).successors.get(row.stepKey ?? '') ?? []
    return keys.map((key) => this.tree.stepId(parent.id, key))
  }

  private async tellDependents(workflow: TreeRow, row: TreeRow): Promise<void> {
    if (row.resolved === null || this.tree.heardBefore.has(row)) return
    const { cancels, completes = [] } = this.tree.specOf(row)
    // a list that has enough is completed, although its last runs go on; where all is undone, nothing is left to cancel
    const completed = workflow.status === 'RUNNING' && (row.status === 'SUCCEEDED' || row.status === 'RUNNING')
    if (completed && cancels.includes(EVERY_STEP)) return this.cancelOthers(workflow, this.othersThan(row), row)
    for (const id of this.dependentsOf(row)) {
      const dependent = this.tree.get(id)
      dependent.pendingCount--
      if (row.resolved === 'live') dependent.liveCount++
      this.tree.touch(dependent)
      await this.consider(workflow, dependent)
    }
    if (!completed) return
    await this.cancelOthers(workflow, cancels, row)
    await this.completeLists(workflow, completes, row)
  }

  /** The other steps of a step's workflow. */
  private othersThan(row: TreeRow): string[] {
    return this.tree.graphOfStep(row).order.filter((key) => key !== row.stepKey)
  }

  private async completeLists(workflow: TreeRow, keys: readonly string[], by: TreeRow): Promise<void> {
    const ids = keys.map((key) => this.tree.stepId(workflow.id, key))
    if (ids.length > 0) await this.tree.load(ids)
    for (const id of ids) await completeList(this, this.tree.get(id), { by: by.stepKey })
  }

  /** Decides whether a step runs now, is skipped, or waits on. */
  async consider(workflow: TreeRow, row: TreeRow): Promise<void> {
    if (row.status !== 'PENDING' || workflow.status !== 'RUNNING') return
    const spec = this.tree.specOf(row)
    const verdict = joinVerdict(spec, { pending: row.pendingCount, live: row.liveCount })
    if (verdict === 'wait') return
    if (verdict !== 'run') {
      this.tree.transition(row, 'SKIPPED', verdict, { resolved: 'dead' })
      return this.rest(row)
    }
    await enterStep(this, workflow, row)
    if (spec.join.others === 'cancel' && row.pendingCount > 0)
      await this.cancelOthers(workflow, canceledByJoin(this.tree.graphOf(workflow), spec.key), row)
  }

  /** Another step made these superfluous; what has ended stays as it is. */
  private async cancelOthers(workflow: TreeRow, keys: readonly string[], by: TreeRow): Promise<void> {
    if (keys.length === 0) return
    const ids = keys.map((key) => this.tree.stepId(workflow.id, key))
    await this.tree.load(ids)
    for (const id of ids) {
      const row = this.tree.get(id)
      await cancelStep(this, row, 'NOT_NEEDED', { resolved: 'dead', data: { by: by.stepKey } })
    }
  }

  /** How a failed step counts for its dependents. */
  failureResolution(row: TreeRow): { resolved?: Resolution } {
    if (row.stepKey === null || row.undoes !== null) return {}
    return onErrorOf(this.tree.graphOfStep(row).graph, this.tree.specOf(row)) === 'continue' ? { resolved: 'live' } : {}
  }

  /** Ends what has nothing left that moves; false when there was nothing to end. */
  private async finishIdle(): Promise<boolean> {
    const idle = [...this.tree.idle].filter((row) => row.activeCount === 0 && canFinish(row))
    this.tree.idle.clear()
    for (const row of idle) await finish(this, row)
    return idle.length > 0
  }

  /** What a workflow or group failed with: the first of its steps that did. */
  async firstFailure(parent: TreeRow): Promise<RunError | null> {
    if (parent.error) return parent.error
    const rows = await this.tree.childrenOf([parent], ['FAILED', 'CANCELED'])
    const [failed] = rows
      .filter(({ resolved }) => resolved === null)
      .toSorted((a, b) => (a.endedSeq ?? 0) - (b.endedSeq ?? 0))
    return failed ? stepFailed(failed) : null
  }
}
