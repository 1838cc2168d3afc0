import { hasEnded, isWhole } from '../../core/status.ts'
import type { EventReason } from '../../core/transitions.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import type { Change, Tree } from './tree.ts'

/** What may be found moving, or waiting for a person. */
const MOVING = ['SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'INDETERMINATE', 'COMPENSATING'] as const

/**
 * Cancels a run and everything below it that moves. What has ended stays as it is, and what never began stays PENDING, so
 * that a retry finds everything in its place. A handler that is running is shut out by the fence.
 */
export async function cancelStep(
  advance: Advance,
  row: TreeRow,
  reason: Extract<EventReason, 'NOT_NEEDED' | 'CANCEL_REQUESTED'>,
  change: Change,
): Promise<void> {
  if (hasEnded(row.status) || isLeftAlone(row, reason)) return
  const below = await movingBelow(advance.tree, row)
  const left = new Set<string>()
  // from the top down: what is below one that is left alone is left alone too
  for (const one of below.toReversed()) if (left.has(one.parentId ?? '') || isLeftAlone(one, reason)) left.add(one.id)
  for (const one of below) if (!left.has(one.id)) stop(advance, one, reason, change)
  stop(advance, row, reason, change)
  advance.rest(row)
}

/** What is being undone is not left half undone because it is not needed. */
function isLeftAlone({ status, undoes }: TreeRow, reason: EventReason): boolean {
  return reason === 'NOT_NEEDED' && (status === 'COMPENSATING' || undoes !== null)
}

function stop(advance: Advance, row: TreeRow, reason: EventReason, change: Change): void {
  const { tree } = advance
  const canceled = change.error ?? { code: 'CANCELED', message: 'Canceled', retryable: false }
  const error = row.status === 'COMPENSATING' ? { ...canceled, details: { whileCompensating: true } } : canceled
  cutAttempt(advance, row, change)
  tree.transition(row, 'CANCELED', reason, { ...change, error })
  tree.idle.delete(row)
}

/** Ends the attempt of a run that is taken away from its worker. */
export function cutAttempt({ tree, revoked }: Advance, row: TreeRow, change: Change): void {
  if (row.workerId === null) return
  tree.attemptEnded(row, { status: 'CANCELED', workerId: row.workerId, error: change.error ?? null })
  row.fence++
  row.probe = false
  revoked.push(row.id)
}

/** Everything below a run that moves, the deepest first. */
export async function movingBelow(tree: Tree, row: TreeRow): Promise<TreeRow[]> {
  const found: TreeRow[] = []
  for (let parents = [row].filter(hasRuns); parents.length > 0; ) {
    const mine = await tree.childrenOf(parents, MOVING)
    found.unshift(...mine)
    parents = mine.filter(hasRuns)
  }
  return found
}

/** Something that may have runs below it. */
function hasRuns({ kind, startedAt }: TreeRow): boolean {
  return isWhole(kind) && startedAt !== null
}
