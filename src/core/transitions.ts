import type { RunStatus } from './status.ts'

/**
 * Why a run changed its state. The state says where a run is, the reason why it got there (the distinction is River's).
 * The GraphQL enum and the database's type derive from this array.
 */
export const EVENT_REASONS = [
  'SUBMITTED',
  'DELAYED',
  'STARTED',
  'DUE',
  'COMPLETED',
  'PROBE_CONFIRMED',
  'RETRY_SCHEDULED',
  'PERMANENT_FAILURE',
  'RETRIES_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'LOST_TOO_OFTEN',
  'WORKER_LOST',
  'WORKER_STOPPED',
  'NOT_STARTED',
  'PROBE_NEEDED',
  'OUTCOME_UNKNOWN',
  'CANCEL_REQUESTED',
  'RETRY_REQUESTED',
  'PLANNED',
  'READY',
  'WAIT_BEGUN',
  'COMPUTED',
  'CONDITION_FALSE',
  'DEPENDENCIES_SKIPPED',
  'JOIN_OUT_OF_REACH',
  'NOT_NEEDED',
  'INPUT_REFUSED',
  'TIME_REACHED',
  'SIGNAL_RECEIVED',
  'FALLBACK_TAKEN',
  'WAIT_EXPIRED',
  'LINKED_RUN_SUCCEEDED',
  'LINKED_RUN_FAILED',
  'LIMIT_GRANTED',
  'STEP_FAILED',
  'STEP_INDETERMINATE',
  'DEADLINE_PASSED',
  'RESULT_REFUSED',
  'LOOP_EXHAUSTED',
  'GRAPH_NEEDED',
  'REVIVED',
  'RESET',
  'TAKEN_OVER',
  'SKIP_REQUESTED',
  'RESOLVED_SUCCEEDED',
  'RESOLVED_FAILED',
  'PAUSE_REQUESTED',
  'RESUME_REQUESTED',
  'COMPENSATION_BEGUN',
  'COMPENSATED',
  'COMPENSATION_FAILED',
] as const
export type EventReason = (typeof EVENT_REASONS)[number]

export const EVENT_REASON_MEANINGS: Record<EventReason, string> = {
  SUBMITTED: 'A caller asked for it.',
  DELAYED: 'A caller asked for it, for a later moment.',
  STARTED: 'A worker began an attempt.',
  DUE: 'Its moment has come: the delayed start, or the end of a backoff.',
  COMPLETED: 'The handler returned a valid result.',
  PROBE_CONFIRMED: 'The probe found that the lost effect had happened.',
  RETRY_SCHEDULED: 'The attempt failed; another follows after the backoff.',
  PERMANENT_FAILURE: 'The failure is one that a repetition cannot help.',
  RETRIES_EXHAUSTED: 'The last attempt that the policy allows failed.',
  DEADLINE_EXCEEDED: "The next attempt would begin after the policy's deadline.",
  LOST_TOO_OFTEN: 'Its attempts were cut by crashes too often: it may be what kills the workers.',
  WORKER_LOST: 'The worker died or lost its lease; the run goes to another.',
  WORKER_STOPPED: 'The worker was stopped in good order before the handler returned; the run goes to another.',
  NOT_STARTED:
    'The worker was given the run and never began it, because the answer to its claim was lost; the run goes to another.',
  PROBE_NEEDED: 'The outcome of an unsafe effect was lost; the next worker asks the probe.',
  OUTCOME_UNKNOWN: 'The outcome of an unsafe effect was lost and no probe could tell; an operator must decide.',
  CANCEL_REQUESTED: 'Somebody canceled it.',
  RETRY_REQUESTED: 'Somebody asked for it to run again; the retry budget starts afresh.',
  PLANNED: 'Its workflow began. That event counts the steps; they have none of their own for it.',
  READY: 'What it depends on has ended; it waits for a worker.',
  WAIT_BEGUN: 'It waits: for a time, a signal, an approval, another run or its turn. `data` says for what.',
  COMPUTED: 'Its value was computed.',
  CONDITION_FALSE: 'Its condition said no.',
  DEPENDENCIES_SKIPPED: 'Everything that it depends on was skipped.',
  JOIN_OUT_OF_REACH: 'So many of its dependencies were skipped that its join cannot be reached.',
  NOT_NEEDED:
    'It is not needed any more: a join that cancels the others was reached, a step cancels it, or its workflow is over.',
  INPUT_REFUSED: 'Its params could not be computed, or do not fit.',
  TIME_REACHED: 'The time that it waited for has come.',
  SIGNAL_RECEIVED: 'The signal or the decision that it waited for has come.',
  FALLBACK_TAKEN: 'Nobody came before its deadline; its fallback stands in.',
  WAIT_EXPIRED: 'Nobody came before its deadline.',
  LINKED_RUN_SUCCEEDED: 'The run that shares its business key has succeeded; its result is shared.',
  LINKED_RUN_FAILED: 'The run that shares its business key has ended without success, or was given other params.',
  LIMIT_GRANTED: 'It is its turn.',
  STEP_FAILED: 'A step of it failed, and nothing else of it can go on.',
  STEP_INDETERMINATE: 'The outcome of a step of it was lost, and nothing else of it can go on.',
  DEADLINE_PASSED: 'The deadline of its workflow has passed.',
  RESULT_REFUSED: 'The result of the workflow could not be computed.',
  LOOP_EXHAUSTED: 'Its condition did not hold after as many iterations as are allowed.',
  GRAPH_NEEDED: 'It goes on where a worker has registered its graph.',
  REVIVED: 'A step of it was retried, skipped or resolved: it goes on.',
  RESET: 'What it depends on runs again, and then it does.',
  TAKEN_OVER: 'Its outcome was taken over from the run that this one was forked from.',
  SKIP_REQUESTED: 'Somebody skipped it; what depends on it goes on with the result given.',
  RESOLVED_SUCCEEDED: 'Somebody found out that the effect had happened.',
  RESOLVED_FAILED: 'Somebody found out that the effect had not happened.',
  PAUSE_REQUESTED: 'Somebody paused it: nothing new begins.',
  RESUME_REQUESTED: 'Somebody let it go on.',
  COMPENSATION_BEGUN: 'What was done is being undone.',
  COMPENSATED: 'It is undone.',
  COMPENSATION_FAILED: 'It could not be undone.',
}

export interface Transition {
  /** `null`: the run did not exist. */
  readonly from: RunStatus | null
  readonly to: RunStatus
  readonly reason: EventReason
}

/** The same change of state, for the same reason, from several states. */
function from<const F extends RunStatus, const T extends RunStatus, const R extends EventReason>(
  states: readonly F[],
  to: T,
  reason: R,
) {
  return states.map((state) => ({ from: state, to, reason }))
}

/** A step that has not begun; QUEUED where it waits for a worker that has its graph. */
const UNBEGUN = ['PENDING', 'QUEUED'] as const
const UNENDED = ['PENDING', 'SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'INDETERMINATE'] as const

/** Every legal change of a run's state. Nothing else happens to a run; tests and the documentation's diagram walk this table. */
export const TRANSITIONS: readonly Transition[] = [
  { from: null, to: 'QUEUED', reason: 'SUBMITTED' },
  { from: null, to: 'SCHEDULED', reason: 'DELAYED' },
  { from: null, to: 'RUNNING', reason: 'STARTED' },
  { from: 'SCHEDULED', to: 'QUEUED', reason: 'DUE' },
  { from: 'QUEUED', to: 'RUNNING', reason: 'STARTED' },
  { from: 'RUNNING', to: 'SUCCEEDED', reason: 'COMPLETED' },
  { from: 'RUNNING', to: 'SUCCEEDED', reason: 'PROBE_CONFIRMED' },
  { from: 'RUNNING', to: 'SCHEDULED', reason: 'RETRY_SCHEDULED' },
  { from: 'RUNNING', to: 'FAILED', reason: 'PERMANENT_FAILURE' },
  { from: 'RUNNING', to: 'FAILED', reason: 'RETRIES_EXHAUSTED' },
  { from: 'RUNNING', to: 'FAILED', reason: 'DEADLINE_EXCEEDED' },
  { from: 'RUNNING', to: 'FAILED', reason: 'LOST_TOO_OFTEN' },
  { from: 'RUNNING', to: 'QUEUED', reason: 'WORKER_LOST' },
  { from: 'RUNNING', to: 'QUEUED', reason: 'WORKER_STOPPED' },
  { from: 'RUNNING', to: 'QUEUED', reason: 'NOT_STARTED' },
  { from: 'RUNNING', to: 'QUEUED', reason: 'PROBE_NEEDED' },
  { from: 'RUNNING', to: 'INDETERMINATE', reason: 'OUTCOME_UNKNOWN' },
  { from: 'QUEUED', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
  { from: 'SCHEDULED', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
  { from: 'RUNNING', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
  { from: 'INDETERMINATE', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
  { from: 'FAILED', to: 'QUEUED', reason: 'RETRY_REQUESTED' },
  { from: 'CANCELED', to: 'QUEUED', reason: 'RETRY_REQUESTED' },
  { from: 'INDETERMINATE', to: 'QUEUED', reason: 'RETRY_REQUESTED' },
  // a step
  { from: null, to: 'PENDING', reason: 'PLANNED' },
  { from: 'PENDING', to: 'QUEUED', reason: 'READY' },
  { from: 'PENDING', to: 'RUNNING', reason: 'STARTED' },
  ...from(UNBEGUN, 'WAITING', 'WAIT_BEGUN'),
  ...from(UNBEGUN, 'SUCCEEDED', 'COMPUTED'),
  ...from(UNBEGUN, 'SKIPPED', 'CONDITION_FALSE'),
  ...from(UNBEGUN, 'FAILED', 'INPUT_REFUSED'),
  { from: 'PENDING', to: 'SKIPPED', reason: 'DEPENDENCIES_SKIPPED' },
  { from: 'PENDING', to: 'SKIPPED', reason: 'JOIN_OUT_OF_REACH' },
  ...from(UNENDED, 'CANCELED', 'NOT_NEEDED'),
  { from: 'WAITING', to: 'SUCCEEDED', reason: 'TIME_REACHED' },
  { from: 'WAITING', to: 'SUCCEEDED', reason: 'SIGNAL_RECEIVED' },
  { from: 'WAITING', to: 'SUCCEEDED', reason: 'FALLBACK_TAKEN' },
  { from: 'WAITING', to: 'FAILED', reason: 'WAIT_EXPIRED' },
  { from: 'WAITING', to: 'SUCCEEDED', reason: 'LINKED_RUN_SUCCEEDED' },
  { from: 'WAITING', to: 'FAILED', reason: 'LINKED_RUN_FAILED' },
  { from: 'WAITING', to: 'QUEUED', reason: 'LIMIT_GRANTED' },
  { from: 'WAITING', to: 'RUNNING', reason: 'STARTED' },
  { from: 'WAITING', to: 'FAILED', reason: 'INPUT_REFUSED' },
  { from: 'WAITING', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
  ...from(['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATED'], 'PENDING', 'RESET'),
  // one of a list that begins only so many at once
  ...from(['FAILED', 'CANCELED', 'INDETERMINATE'], 'PENDING', 'RETRY_REQUESTED'),
  ...(['SUCCEEDED', 'SKIPPED', 'FAILED', 'CANCELED', 'COMPENSATED'] as const).map((to) => ({
    from: 'PENDING' as const,
    to,
    reason: 'TAKEN_OVER' as const,
  })),
  // a workflow, or a group
  { from: 'RUNNING', to: 'FAILED', reason: 'STEP_FAILED' },
  { from: 'RUNNING', to: 'INDETERMINATE', reason: 'STEP_INDETERMINATE' },
  ...from(['PENDING', 'SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING'], 'FAILED', 'DEADLINE_PASSED'),
  { from: 'RUNNING', to: 'FAILED', reason: 'RESULT_REFUSED' },
  { from: 'RUNNING', to: 'FAILED', reason: 'LOOP_EXHAUSTED' },
  { from: 'RUNNING', to: 'FAILED', reason: 'INPUT_REFUSED' },
  ...from(['RUNNING', 'WAITING'], 'QUEUED', 'GRAPH_NEEDED'),
  ...from(['FAILED', 'CANCELED', 'INDETERMINATE'], 'RUNNING', 'REVIVED'),
  // what operators do
  ...from([...UNENDED, 'FAILED', 'CANCELED'], 'SKIPPED', 'SKIP_REQUESTED'),
  { from: 'INDETERMINATE', to: 'SUCCEEDED', reason: 'RESOLVED_SUCCEEDED' },
  { from: 'INDETERMINATE', to: 'FAILED', reason: 'RESOLVED_FAILED' },
  ...(['SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'INDETERMINATE', 'COMPENSATING'] as const).flatMap((state) => [
    { from: state, to: state, reason: 'PAUSE_REQUESTED' as const },
    { from: state, to: state, reason: 'RESUME_REQUESTED' as const },
  ]),
  // compensation
  ...from(
    ['SUCCEEDED', 'RUNNING', 'QUEUED', 'INDETERMINATE', 'FAILED', 'CANCELED'],
    'COMPENSATING',
    'COMPENSATION_BEGUN',
  ),
  { from: 'COMPENSATING', to: 'COMPENSATED', reason: 'COMPENSATED' },
  { from: 'COMPENSATING', to: 'FAILED', reason: 'COMPENSATION_FAILED' },
  { from: 'COMPENSATING', to: 'INDETERMINATE', reason: 'STEP_INDETERMINATE' },
  { from: 'COMPENSATING', to: 'CANCELED', reason: 'CANCEL_REQUESTED' },
]

/** The states that a transition with this reason may start from. */
export function statesBefore(reason: EventReason): readonly RunStatus[] {
  return [...new Set(TRANSITIONS.flatMap((t) => (t.reason === reason && t.from !== null ? [t.from] : [])))]
}

const LEGAL = new Set(TRANSITIONS.map(edge))

function edge({ from, to, reason }: Transition): string {
  return `${from} ${to} ${reason}`
}

/** Whether the table has this change. */
export function isLegal(transition: Transition): boolean {
  return LEGAL.has(edge(transition))
}
