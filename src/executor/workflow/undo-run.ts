import { NonRetryableError } from '../../core/errors.ts'
import { compensationRunId, showRunId } from '../../core/ids.ts'
import { readContents } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { CompensateContext } from '../define-action.ts'
import type { RegisteredAction } from '../registry.ts'
import { validate } from '../validate.ts'
import { newStep } from './new-step.ts'
import type { Tree } from './tree.ts'

/** Plans the run that undoes a step: with what that was given, and what it gave. */
export async function planUndo(tree: Tree, step: TreeRow): Promise<{ run: TreeRow; given: Done }> {
  await renewUndo(tree, step)
  const given = await whatWasDone(tree, step)
  const run = compensationRun(tree, step)
  tree.insert(run)
  run.params = JSON.stringify(given)
  return { run, given }
}

/** One that was undone before, or half, is undone by another run. */
async function renewUndo(tree: Tree, step: TreeRow): Promise<void> {
  for (;;) {
    const id = compensationRunId(step.id, step.generation)
    await tree.load([id])
    if (!tree.find(id)) return
    step.generation++
  }
}

/** What the run that undoes a step has as its params. */
export interface Done {
  readonly params: unknown
  readonly result: unknown
  /** Of an execution that several runs share: whoever undoes it passes on the same key. */
  readonly idempotencyKey?: string
}

async function whatWasDone(tree: Tree, step: TreeRow): Promise<Done> {
  const [read] = await readContents(tree.run, [step.id])
  const { linkedId } = step
  return {
    params: parsed(step.params) ?? read?.params ?? null,
    result: parsed(step.result) ?? read?.result ?? null,
    ...(linkedId !== null && { idempotencyKey: showRunId(compensationRunId(linkedId, generationOf(tree, step))) }),
  }
}

/** What shares an execution by its key may have been retried more often than the others that share it. */
function generationOf(tree: Tree, step: TreeRow): number {
  return tree.specOf(step).keyed ? 1 : step.generation
}

function parsed(text: string | null | undefined): unknown {
  return typeof text === 'string' ? JSON.parse(text) : undefined
}

function compensationRun(tree: Tree, step: TreeRow): TreeRow {
  const parent = tree.parentOf(step)!
  const id = compensationRunId(step.id, step.generation)
  const run = newStep(id, parent, step.parentGraph ?? '', tree.specOf(step), tree.nowMs, step.stepIndex)
  return { ...run, kind: 'ACTION', undoes: step.id, pendingCount: 0 }
}

/** An action that undoes what another did: its params are what that one was given, and what it gave. */
export function compensationOf(action: RegisteredAction): RegisteredAction {
  return {
    ...action,
    effect: 'idempotent',
    paramsSchema: undefined,
    resultSchema: undefined,
    probe: undefined,
    run: async (context) => {
      const { params, result, idempotencyKey = context.idempotencyKey } = context.params as Done
      const checked = await validate(action.paramsSchema, params)
      if (!checked.ok)
        throw new NonRetryableError('The params do not fit the action any more', {
          code: 'INVALID_PARAMS',
          details: { issues: checked.issues },
        })
      const given: CompensateContext<unknown, unknown> = { ...context, params: checked.value, result, idempotencyKey }
      await action.compensate?.(given)
      return null
    },
  }
}
