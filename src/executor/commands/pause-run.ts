import { InvalidInputError, InvalidTransitionError } from '../../core/request-errors.ts'
import { RUN_STATUSES, type RunStatus } from '../../core/status.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Executor } from '../executor.ts'
import type { Advance } from '../workflow/advance.ts'
import { movingBelow } from '../workflow/cancel-tree.ts'
import { enterQueued } from '../workflow/claim-steps.ts'
import { isUnentered } from '../workflow/queues.ts'
import { type ControlRequest, control, reasonData } from './control.ts'
import type { Executed } from './execution.ts'

const LEGAL_FROM = statesBefore('PAUSE_REQUESTED')

/**
 * Lets nothing new of a run begin: what runs comes to its end, times go on, what they allow to begin waits. Throws
 * `InvalidTransitionError` for a run that has ended or is paused, `InvalidInputError` for a step.
 */
export async function pauseRun(executor: Executor, request: ControlRequest, actor: string): Promise<Executed> {
  const { reason } = request
  return control(executor, 'pause', request, { reason }, async (advance, row) => {
    checkRoot(row, 'paused')
    if (row.paused)
      throw new InvalidTransitionError('paused', row.status, [], { message: 'The run is paused already.' })
    const { tree } = advance
    for (const one of [row, ...(await movingBelow(tree, row))])
      if (one === row || one.status === 'QUEUED') tree.touch(one).paused = true
    tree.note(row, 'PAUSE_REQUESTED', { actor, ...reasonData(reason) })
  })
}

/** Lets a paused run go on. Throws `InvalidTransitionError` for one that is not paused. */
export async function resumeRun(executor: Executor, request: ControlRequest, actor: string): Promise<Executed> {
  const { reason } = request
  return control(executor, 'resume', request, { reason }, async (advance, row) => {
    checkRoot(row, 'resumed')
    if (!row.paused) throw new InvalidTransitionError('resumed', row.status, [], { message: 'The run is not paused.' })
    const held = [row, ...(await movingBelow(advance.tree, row))].filter(({ paused }) => paused)
    for (const one of held) advance.tree.touch(one).paused = false
    advance.tree.note(row, 'RESUME_REQUESTED', { actor, ...reasonData(reason) })
    for (const one of held) await release(advance, one)
  })
}

async function release(advance: Advance, row: TreeRow): Promise<void> {
  if (row.status !== 'QUEUED') return
  if (isUnentered(row.queue)) await enterQueued(advance, row)
  else advance.queued.add(row.queue ?? row.name)
}

function checkRoot({ parentId, status }: TreeRow, participle: string): void {
  if (parentId !== null)
    throw new InvalidInputError('id', `names a step; a run is ${participle} as a whole, by its root`)
  if (!LEGAL_FROM.includes(status)) throw new InvalidTransitionError(participle, status, pausable())
}

function pausable(): RunStatus[] {
  return RUN_STATUSES.filter((status) => LEGAL_FROM.includes(status))
}
