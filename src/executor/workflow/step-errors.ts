import type { RunError } from '../../core/failure.ts'
import { showRunId } from '../../core/ids.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'

/** How a step is named to people: its key, and its index where it is one of several. */
export function showStep({ stepKey, stepIndex }: Pick<TreeRow, 'stepKey' | 'stepIndex'>): string {
  return stepIndex === null ? `${stepKey}` : `${stepKey}[${stepIndex}]`
}

/**
 * What a workflow fails with because a step of it did. Through sub-workflows and lists it keeps the code of the step where it
 * began, and the way to it.
 */
export function stepFailed(step: TreeRow): RunError {
  const { status, error } = step
  const verb = status === 'CANCELED' ? 'was canceled' : 'failed'
  const within = error?.code === 'STEP_FAILED' ? (error.details as Partial<StepFailure> | undefined) : undefined
  const details: StepFailure = {
    step: showStep(step),
    runId: showRunId(step.id),
    path: [showStep(step), ...(within?.path ? [within.path] : [])].join('/'),
    code: within?.code ?? error?.code ?? status,
  }
  return {
    code: 'STEP_FAILED',
    message: `Step ${JSON.stringify(showStep(step))} ${verb}: ${error?.message ?? status}`,
    retryable: error?.retryable ?? false,
    details,
  }
}

interface StepFailure {
  readonly step: string
  readonly runId: string
  /** From the workflow that failed on, as `retryRun` takes it: `orders/charge`. */
  readonly path: string
  /** Of the step where it began. */
  readonly code: string
}

/** What is wrong with a workflow's own logic: permanent, until somebody mends it. */
export function logicError(code: string, message: string, details?: unknown): RunError {
  return { code, message, retryable: false, ...(details !== undefined && { details }) }
}

const DEADLINE_EXCEEDED = 'DEADLINE_EXCEEDED'

/** What a workflow fails with, or is undone for, when its deadline has passed. */
export function deadlineExceeded(deadlineMs: number | undefined): RunError {
  return logicError(DEADLINE_EXCEEDED, `The workflow was not done within ${deadlineMs} ms`)
}

/** Why something was undone at all, or was about to be: kept in the error that has come instead. */
export function causeOf({ error }: Pick<TreeRow, 'error'>): RunError | null {
  return (error?.details as { cause?: RunError | null } | undefined)?.cause ?? null
}

/** The deadline that had turned a run back: unlike a step that failed, no step tells of it. */
export function passedDeadline(row: Pick<TreeRow, 'error'>): RunError | null {
  const cause = causeOf(row)
  return cause?.code === DEADLINE_EXCEEDED ? cause : null
}
