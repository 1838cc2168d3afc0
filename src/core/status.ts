/** The states of a run. The GraphQL enum, the database's type and every `Record<RunStatus, …>` derive from this array. */
export const RUN_STATUSES = [
  'PENDING',
  'SCHEDULED',
  'QUEUED',
  'RUNNING',
  'WAITING',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
  'SKIPPED',
  'INDETERMINATE',
  'COMPENSATING',
  'COMPENSATED',
] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

export const RUN_STATUS_MEANINGS: Record<RunStatus, string> = {
  PENDING: 'Dependencies are unmet.',
  SCHEDULED: 'Due at a later moment: a delayed start, or the backoff of a retry.',
  QUEUED: 'May run now; waits for a worker.',
  RUNNING: 'A worker executes it.',
  WAITING: 'Waits on a timer, signal, approval, child or linked run.',
  SUCCEEDED: 'Ended: done, with a result.',
  FAILED: 'Ended: not done, with an error. A retry revives it.',
  CANCELED: 'Ended: somebody canceled it. A retry revives it.',
  SKIPPED: 'Ended: its condition said no.',
  INDETERMINATE: 'The outcome of an unsafe effect was lost; a person or a probe must decide.',
  COMPENSATING: 'What was done is being undone.',
  COMPENSATED: 'Ended: undone, nothing left behind.',
}

export const ENDED_STATUSES = [
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
  'SKIPPED',
  'COMPENSATED',
] as const satisfies readonly RunStatus[]

/** The states in which a run goes on by itself, or by what it waits for. */
const ACTIVE_STATUSES = [
  'SCHEDULED',
  'QUEUED',
  'RUNNING',
  'WAITING',
  'COMPENSATING',
] as const satisfies readonly RunStatus[]

export function isActive(status: RunStatus): boolean {
  return (ACTIVE_STATUSES as readonly RunStatus[]).includes(status)
}

/** Whether nothing more happens to the run by itself. */
export function hasEnded(status: RunStatus): boolean {
  return (ENDED_STATUSES as readonly RunStatus[]).includes(status)
}

/** Whether a caller that waits for the outcome has it: the run ended, or only a person can go on. */
export function isSettled(status: RunStatus): boolean {
  return hasEnded(status) || status === 'INDETERMINATE'
}

/** The states of an attempt. RUNNING is read off its run; the others are recorded once, when the attempt ends. */
export const ATTEMPT_STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELED', 'LOST'] as const
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number]

export const ATTEMPT_STATUS_MEANINGS: Record<AttemptStatus, string> = {
  RUNNING: 'Under way.',
  SUCCEEDED: 'The handler returned a valid result.',
  FAILED: 'The handler threw, or its result was refused.',
  TIMED_OUT: 'The handler took longer than `timeoutMs`.',
  CANCELED: 'The run was canceled, or the server stopped before the handler returned.',
  LOST: 'The worker died or lost its lease; what the handler did is unknown.',
}

/** What a run executes. Roots are of the first two kinds; the others are steps that call nothing. */
export const RUN_KINDS = ['ACTION', 'WORKFLOW', 'GROUP', 'WAIT', 'VALUE'] as const
export type RunKind = (typeof RUN_KINDS)[number]

export const RUN_KIND_MEANINGS: Record<RunKind, string> = {
  ACTION: 'A single action.',
  WORKFLOW: 'A graph of steps.',
  GROUP: 'A step that runs once for each item of a list, or again and again: its runs are its iterations.',
  WAIT: 'A step that waits for a time, a signal or an approval.',
  VALUE: 'A step that computes a value.',
}

/** Whether a run has runs of its own below it: a workflow, a list or a loop. */
export function isWhole(kind: RunKind): boolean {
  return kind === 'WORKFLOW' || kind === 'GROUP'
}
