import { RunNotFoundError, StepNotFoundError } from '../../core/request-errors.ts'
import { statesBefore } from '../../core/transitions.ts'
import type { CompiledGraph } from '../../core/workflow/graph.ts'
import { retryPlan } from '../../core/workflow/retry-plan.ts'
import { stepsOf } from '../../db/reads/steps.ts'
import type { RunRow } from '../../db/rows.ts'
import type { Executor } from '../executor.ts'
import { notRetried } from './retry-run.ts'
import { stepOf } from './step-of.ts'

/** What a retry would do. */
export interface RetryPreview {
  readonly compiled: CompiledGraph | undefined
  readonly again: RunRow[]
  readonly next: RunRow[]
  readonly kept: RunRow[]
  /** Of those that would run again: their effect may have happened already, and what they call cannot tell. */
  readonly unsafe: RunRow[]
}

const LEGAL_FROM = statesBefore('RETRY_REQUESTED')

/**
 * Says what `retryRun` would run again, what would follow, what would be kept, and which effects are at risk. Changes nothing.
 * @param step a key of the workflow; null for everything that holds the run up.
 */
export async function previewRetry(executor: Executor, shown: string, step: string | null): Promise<RetryPreview> {
  const run = await stepOf(executor, shown, null)
  if (!run) throw new RunNotFoundError(shown)
  if (run.kind !== 'WORKFLOW' || run.graph === null) return ofOne(run, step)
  const compiled = await executor.workflows.graphs.compiled(run.graph)
  const rows = (await stepsOf(executor.db, [run.id]))[0] ?? []
  const byKey = new Map(rows.map((row) => [row.stepKey ?? '', row]))
  const targets = targetsOf(compiled, byKey, step, run)
  const plan = retryPlan(compiled, statesOf(rows), targets)
  const rowsOf = (keys: readonly string[]) => keys.flatMap((key) => byKey.get(key) ?? [])
  const again = rowsOf(plan.again)
  return { compiled, again, next: rowsOf(plan.next), kept: rowsOf(plan.kept), unsafe: again.filter(isUnsafe) }
}

function ofOne(run: RunRow, step: string | null): RetryPreview {
  if (step !== null) throw new StepNotFoundError(step)
  if (!LEGAL_FROM.includes(run.status)) throw notRetried(run, step, run)
  return { compiled: undefined, again: [run], next: [], kept: [], unsafe: [run].filter(isUnsafe) }
}

function targetsOf(
  compiled: CompiledGraph,
  byKey: ReadonlyMap<string, RunRow>,
  step: string | null,
  run: RunRow,
): string[] {
  const failing = [...byKey.values()].filter((row) => LEGAL_FROM.includes(row.status))
  if (step === null) {
    if (!LEGAL_FROM.includes(run.status)) throw notRetried(run, step, run)
    return failing.filter(({ resolved }) => resolved === null).map(({ stepKey }) => stepKey ?? '')
  }
  if (!compiled.steps.has(step)) throw new StepNotFoundError(step, [...compiled.steps.keys()])
  const row = byKey.get(step)
  if (!row || !failing.includes(row)) throw notRetried(row ?? { status: 'PENDING' }, step, run)
  return [step]
}

function statesOf(rows: readonly RunRow[]) {
  return new Map(
    rows.map(({ stepKey, status, resolved }) => [stepKey ?? '', { status, resolved: resolved !== null }] as const),
  )
}

function isUnsafe({ effect, attempt }: RunRow): boolean {
  return effect === 'unsafe' && attempt > 0
}
