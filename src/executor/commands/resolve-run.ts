import { InvalidInputError, InvalidParamsError, InvalidTransitionError } from '../../core/request-errors.ts'
import { stepsOf } from '../../db/reads/steps.ts'
import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Executor } from '../executor.ts'
import { validate } from '../validate.ts'
import type { Advance } from '../workflow/advance.ts'
import { retryTree } from '../workflow/retry-tree.ts'
import { reviveAbove } from '../workflow/revive.ts'
import { type ControlRequest, control, reasonData } from './control.ts'
import type { Executed } from './execution.ts'
import { checkResult } from './skip-step.ts'
import { stepNamed, stepOf } from './step-of.ts'

export const RESOLUTIONS = ['SUCCEEDED', 'FAILED', 'RETRY'] as const

export interface ResolveRequest extends ControlRequest {
  readonly step: string | null
  readonly outcome: (typeof RESOLUTIONS)[number]
  /** For SUCCEEDED: what the effect gave. */
  readonly result: unknown
}

/**
 * Says what became of an effect whose outcome was lost: it happened, with this result; it did not, and the run has failed; or
 * it did not, and the run is to run again. Throws `InvalidTransitionError` for a run that is not INDETERMINATE.
 */
export async function resolveRun(executor: Executor, request: ResolveRequest, actor: string): Promise<Executed> {
  const { reason, step, outcome, result } = request
  const target = await stepOf(executor, request.id, step)
  if (outcome === 'SUCCEEDED' && target) await checkAgainstSchema(executor, target.name, result)
  if (outcome !== 'SUCCEEDED' && result !== null)
    throw new InvalidInputError('result', 'goes with the outcome SUCCEEDED only')
  const lost = target && target.kind !== 'ACTION' ? await lostBelow(executor, target, step ?? '') : []
  const asked = { reason, step, outcome, result }
  return control(executor, 'resolve', request, asked, async (advance, run) => {
    const row = await stepNamed(advance, run, step)
    if (row.status !== 'INDETERMINATE' || row.kind !== 'ACTION') throw notResolved(row, step, lost)
    await apply(advance, row, outcome, result, { actor, ...reasonData(reason) })
  })
}

function notResolved({ status, kind }: TreeRow, step: string | null, lost: readonly string[]): InvalidTransitionError {
  if (status !== 'INDETERMINATE' || kind === 'ACTION')
    return new InvalidTransitionError('resolved', status, ['INDETERMINATE'], { step })
  const named = lost.map((path) => `step: ${JSON.stringify(path)}`).join(' or ')
  const message = `Name the step whose outcome is unknown${named === '' ? '.' : `: ${named}.`}`
  return new InvalidTransitionError('resolved', status, [], { message })
}

/** More are not named. */
const MAX_NAMED = 10

/** The paths of the actions below a run whose outcome is unknown. */
async function lostBelow(executor: Executor, above: RunRow, path: string): Promise<string[]> {
  // an item of a list is named by the list's key: by the run of the list alone it cannot be
  if (above.status !== 'INDETERMINATE' || (above.kind === 'GROUP' && path === '')) return []
  const found: string[] = []
  for (const row of (await stepsOf(executor.db, [above.id]))[0] ?? []) {
    if (row.status !== 'INDETERMINATE' || found.length >= MAX_NAMED) continue
    const own = above.kind === 'GROUP' ? `${path}[${row.stepIndex}]` : [path, row.stepKey].filter(Boolean).join('/')
    found.push(...(row.kind === 'ACTION' ? [own] : await lostBelow(executor, row, own)))
  }
  return found.slice(0, MAX_NAMED)
}

async function apply(
  advance: Advance,
  row: TreeRow,
  outcome: ResolveRequest['outcome'],
  result: unknown,
  change: { actor: string; data?: object },
): Promise<void> {
  if (outcome === 'RETRY') return retryTree(advance, row, change, { params: undefined, newKey: false })
  await reviveAbove(advance, row, change)
  if (outcome === 'SUCCEEDED')
    advance.tree.transition(row, 'SUCCEEDED', 'RESOLVED_SUCCEEDED', {
      ...change,
      resolved: 'live',
      result: JSON.stringify(result),
    })
  else {
    const error = {
      code: 'RESOLVED_FAILED',
      message: 'An operator found that the effect had not happened',
      retryable: false,
    }
    advance.tree.transition(row, 'FAILED', 'RESOLVED_FAILED', { ...change, error, ...advance.failureResolution(row) })
  }
  advance.rest(row)
}

async function checkAgainstSchema(executor: Executor, name: string, result: unknown): Promise<void> {
  checkResult(name, result, executor.options.maxResultBytes)
  const checked = await validate(executor.registry.get(name)?.resultSchema, result)
  if (!checked.ok) throw new InvalidParamsError(name, checked.issues, 'step')
}
