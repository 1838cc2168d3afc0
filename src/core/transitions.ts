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
}

export interface Transition {
  /** `null`: the run did not exist. */
  readonly from: RunStatus | null
  readonly to: RunStatus
  readonly reason: EventReason
}

/** Every legal change of a run's state. Nothing else happens to a run; tests and the documentation's diagram walk this table. */
export const TRANSITIONS = [
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
] as const satisfies readonly Transition[]

/** The states that a transition with this reason may start from. */
export function statesBefore(reason: EventReason): readonly RunStatus[] {
  return TRANSITIONS.flatMap((t) => (t.reason === reason && t.from !== null ? [t.from] : []))
}

/** Whether the table has this change. */
export function isLegal({ from, to, reason }: Transition): boolean {
  return TRANSITIONS.some((t) => t.from === from && t.to === to && t.reason === reason)
}
