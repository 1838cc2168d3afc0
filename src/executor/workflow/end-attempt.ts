import { stepRunId } from '../../core/ids.ts'
import type { Decision } from '../../core/outcome.ts'
import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { RunRow } from '../../db/rows.ts'
import type { EndedRow } from '../../db/transitions/end-attempts.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import type { TreeCommand } from './tree-command.ts'

/**
 * Ends the attempt of a step, and lets its tree go on from there: in one commit. `undefined`: another hand has the run.
 * @param graph of the workflow that the step belongs to, where it is at hand: then what follows is read in the same breath.
 * @param beforehand is called once it is certain that the attempt is this worker's to end.
 */
export function endAttemptCommand(
  run: RunRow,
  decision: Decision,
  graph: CompiledGraph | undefined,
  beforehand: () => void,
): TreeCommand<EndedRow | undefined> {
  const { id, rootId, fence } = run
  return {
    rootId,
    rows: () => [id, ...ahead(run, graph)],
    onKept: true,
    apply(advance) {
      const row = advance.tree.find(id)
      if (!row || row.workerId === null || row.fence !== fence) return undefined
      beforehand()
      endAttempt(advance, row, decision)
      return { id, lastSeq: row.lastSeq, at: new Date(advance.tree.nowMs) }
    },
  }
}

const MAX_AHEAD = 20

/** What the end of a step will look at. */
function ahead({ parentId, stepKey }: RunRow, graph: CompiledGraph | undefined): string[] {
  const successors = graph?.successors.get(stepKey ?? '') ?? []
  if (parentId === null || successors.length > MAX_AHEAD) return []
  return [parentId, ...successors.map((key) => stepRunId(parentId, key, null))]
}

function endAttempt(advance: Advance, row: TreeRow, decision: Decision): void {
  const { tree } = advance
  const { to, reason, attemptStatus, result, error, delayMs, failures, losses, probe } = decision
  const { workerId } = row
  if (to !== 'SUCCEEDED') tree.attemptEnded(row, { status: attemptStatus, workerId: workerId ?? '', error })
  Object.assign(row, { failures, losses, probe, queue: row.name })
  if (to === 'QUEUED' || to === 'SCHEDULED') {
    row.availableAt = tree.nowMs + (delayMs ?? 0)
    row.paused = tree.root.paused
  }
  const data = to === 'SCHEDULED' ? { availableAt: new Date(tree.nowMs + (delayMs ?? 0)).toISOString() } : undefined
  const keepsError = to === 'FAILED' || to === 'INDETERMINATE'
  tree.transition(row, to, reason, {
    attempt: row.attempt,
    error,
    data,
    ...(to === 'SUCCEEDED' && { resolved: 'live' as const, result: result ?? 'null' }),
    ...(to === 'FAILED' && advance.failureResolution(row)),
  })
  if (to === 'SUCCEEDED') row.succeededBy = workerId
  if (!keepsError) row.error = null
  if (to === 'QUEUED' && !row.paused) advance.queued.add(row.name)
  if (to === 'SCHEDULED') advance.timed = true
  advance.rest(row)
}
