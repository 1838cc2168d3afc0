import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { askEnough } from './enough.ts'
import { fill } from './group.ts'
import { loopTurn } from './loop.ts'

/** A run of a group ended: the next one of a list may begin, or a loop asks whether it is done. */
export async function groupChildEnded(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (group.status !== 'RUNNING') return
  if (advance.tree.specOf(group).repeat) return loopTurn(advance, group, run)
  await listTurn(advance, group, run)
}

/** Asks whether a list has enough, and begins its next runs if it goes on. */
async function listTurn(advance: Advance, group: TreeRow, run: TreeRow): Promise<void> {
  if (run.resolved === 'live' && group.resolved === null) await askEnough(advance, group)
  if (group.status === 'RUNNING') await fill(advance, group)
}

/** Of the runs of a list or a loop that count and have ended, the one with the highest index. */
export async function lastRun({ tree }: Advance, group: TreeRow): Promise<TreeRow | undefined> {
  const ended = (await tree.childrenOf([group], ['SUCCEEDED', 'FAILED', 'SKIPPED'])).filter(
    ({ undoes, stepIndex }) => undoes === null && (stepIndex ?? 0) < (group.size ?? 0),
  )
  return ended.toSorted((a, b) => (a.stepIndex ?? 0) - (b.stepIndex ?? 0)).at(-1)
}

/** Goes on with a list or a loop that was left to a worker that has its code, where it was. */
export async function resumeGroup(advance: Advance, group: TreeRow, last: TreeRow): Promise<void> {
  const { each } = advance.tree.specOf(group)
  if (!each) return loopTurn(advance, group, last)
  group.waitName = each.more ?? null
  await listTurn(advance, group, last)
}
