import { takeSignal } from '../../db/tree/signals.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { makeRoom } from './begin-workflow.ts'
import { fill, itemAt, MAX_ITEMS, prepare } from './group.ts'
import { LogicError } from './logic-error.ts'
import { planSteps } from './plan-steps.ts'
import { addressees } from './waits.ts'

/** Adds an item to a list that runs. Throws a `LogicError`, and has changed nothing, for one that the list cannot take. */
export async function addItem(advance: Advance, group: TreeRow, item: unknown): Promise<void> {
  const { tree, host } = advance
  const spec = tree.specOf(group)
  const index = group.size ?? 0
  if (index >= MAX_ITEMS)
    throw new LogicError('TOO_MANY_RUNS', `The list of step "${spec.key}" has ${MAX_ITEMS} items; more may not be`)
  const logic = host.logic(tree.graphOfStep(group))?.steps.get(spec.key) ?? {}
  const given = await itemAt(advance, tree.workflowOf(group), spec, logic, index, item)
  makeRoom(advance, group, 1)
  const [run] = await planSteps(advance, group, group.parentGraph ?? '', [{ spec, index }])
  if (!run) return
  prepare(advance, run, given, new Map())
  group.size = index + 1
  await fill(advance, group)
}

/** Adds what was sent before the list began; what does not fit is of no use to anybody. */
export async function takeKeptItems(advance: Advance, group: TreeRow, name: string): Promise<void> {
  const { tree, host } = advance
  const logic = host.logic(tree.graphOfStep(group))?.steps.get(group.stepKey ?? '')
  for (;;) {
    const kept = await takeSignal(tree.run, addressees(advance, group), name, group.id)
    if (!kept) return
    const checked = await logic?.checkPayload?.(kept.payload)
    if (checked && !checked.ok) continue
    try {
      await addItem(advance, group, checked ? checked.value : kept.payload)
    } catch (thrown) {
      if (!(thrown instanceof LogicError)) throw thrown
    }
  }
}
