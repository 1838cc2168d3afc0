import { groupBy } from '../../core/group-by.ts'
import { hasEnded } from '../../core/status.ts'
import type { TreeWork } from '../../db/reads/tree-work.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { queueAction, runHere } from './begin-action.ts'
import { beginWorkflow, continueSubWorkflow } from './begin-workflow.ts'
import { cancelStep, movingBelow } from './cancel-tree.ts'
import { beginCompensation } from './compensate.ts'
import { enterStep, refuseStep } from './enter-step.ts'
import { lastRun, resumeGroup } from './group-turn.ts'
import { graphQueue, hasBegun, isUnentered } from './queues.ts'
import { deadlineExceeded } from './step-errors.ts'
import type { TreeCommand } from './tree-command.ts'
import { wake } from './waits.ts'

/** One command for each tree that has work. */
export function byTree(
  work: readonly TreeWork[],
  apply: (advance: Advance, row: TreeRow) => Promise<void> | void,
): TreeCommand<number>[] {
  return [...groupBy(work, ({ rootId }) => rootId)].map(([rootId, items]) => ({
    rootId,
    rows: () => items.map(({ id }) => id),
    async apply(advance) {
      for (const { id } of items) {
        const row = advance.tree.find(id)
        if (row) await apply(advance, row)
      }
      return advance.started.length
    },
  }))
}

/** Gives queued steps to this worker, as long as it has room. */
export function claimCommands(work: readonly TreeWork[]): TreeCommand<number>[] {
  return [...groupBy(work, ({ rootId }) => rootId)].map(([rootId, items]) => ({
    rootId,
    rows: () => items.map(({ id }) => id),
    async apply(advance) {
      const { started } = advance
      const before = started.length
      const claimable = await claimableRows(
        advance,
        items.map(({ id }) => id),
      )
      for (const { row, params } of claimable) if (!runHere(advance, row, params)) break
      return started.length - before
    },
  }))
}

/** Those of these rows that were read as queued actions and are so still, with their params. */
export async function claimableRows(
  { tree }: Advance,
  ids: readonly string[],
): Promise<{ row: TreeRow; params: unknown }[]> {
  const rows = ids.flatMap((id) => tree.find(id) ?? []).filter(isClaimable)
  if (rows.length === 0) return []
  const read = await readParams(
    tree.run,
    rows.map(({ id }) => id),
  )
  const params = new Map(read.map((row) => [row.id, row.params]))
  return rows.map((row) => ({ row, params: params.get(row.id) }))
}

function isClaimable({ status, kind, queue, paused }: TreeRow): boolean {
  return status === 'QUEUED' && kind === 'ACTION' && !paused && !isUnentered(queue)
}

/** Goes on with a run that was left to whoever has the code of its graph. */
export async function enterQueued(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  if (row.status !== 'QUEUED' || !isUnentered(row.queue)) return
  const parent = tree.parentOf(row)
  const begun = hasBegun(row)
  if (parent && !begun && row.kind !== 'WORKFLOW') return enterStep(advance, tree.workflowOf(row), row)
  try {
    if (begun) await goOn(advance, row)
    else if (lacksOwnGraph(advance, row)) await beginWorkflow(advance, row, tree.graphOf(row))
    // its params were computed before: it lacked the workflow itself
    else if (row.queue?.startsWith('workflow:')) await continueSubWorkflow(advance, row)
    else if (parent) await enterStep(advance, tree.workflowOf(row), row)
  } catch (thrown) {
    refuseStep(advance, row, thrown)
  }
}

/** Whether a workflow has its params and its graph, and only lacked the code of that. A step that is entered again has not. */
function lacksOwnGraph({ tree }: Advance, row: TreeRow): boolean {
  const parent = tree.parentOf(row)
  if (row.graph === null || row.queue?.startsWith('workflow:')) return false
  if (!parent || parent.kind === 'GROUP') return true
  const compiled = tree.graphOf(row)
  // every node has the logic of what was given as data; in a recursion the queue is also that of the workflow around it
  const isOwn = compiled.graph.definition === undefined && row.graph !== tree.workflowOf(row).graph
  return isOwn && row.queue === graphQueue(compiled)
}

/** A workflow or a loop stopped where it needed its code: at its result, or between two iterations. */
async function goOn(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  row.queue = null
  tree.transition(row, 'RUNNING', 'STARTED')
  const last = row.kind === 'GROUP' ? await lastRun(advance, row) : undefined
  if (last) await resumeGroup(advance, row, last)
  tree.idle.add(row)
}

/** The time of a run has come: its start, its next attempt, the end of its wait, its deadline. */
export async function becomeDue(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  if (row.status === 'SCHEDULED' && (row.availableAt ?? 0) <= tree.nowMs) {
    row.availableAt = tree.nowMs
    const { queue } = row
    tree.transition(row, 'QUEUED', 'DUE')
    row.paused = tree.root.paused
    if (isUnentered(queue)) await enterQueued(advance, row)
    else queueAction(advance, row, 'READY')
  } else if (row.wakeAt === null || row.wakeAt > tree.nowMs) return
  else if (row.status === 'WAITING') wake(advance, row)
  else if (row.kind === 'WORKFLOW' && !hasEnded(row.status)) await expire(advance, row)
  else tree.touch(row).wakeAt = null
}

/** The deadline of a workflow has passed: what moves is canceled, and it fails. */
async function expire(advance: Advance, row: TreeRow): Promise<void> {
  const { tree } = advance
  const error = deadlineExceeded(tree.graphOf(row).graph.deadlineMs)
  // what is undone already, or waits for a person, has no deadline; who lets it go on gives it the time again
  if (row.status === 'COMPENSATING' || row.status === 'INDETERMINATE') {
    tree.touch(row).wakeAt = null
    return
  }
  if (tree.graphOf(row).graph.onError === 'compensate') {
    row.wakeAt = null
    return beginCompensation(advance, row, error)
  }
  for (const child of await movingBelow(tree, row))
    if (child.parentId === row.id) await cancelStep(advance, child, 'NOT_NEEDED', { error })
  tree.transition(row, 'FAILED', 'DEADLINE_PASSED', { error, ...advance.failureResolution(row) })
  advance.rest(row)
}
