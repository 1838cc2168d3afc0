import { EFFECT_MEANINGS, EFFECTS } from '../core/effect.ts'
import { ERROR_CODES } from '../core/request-errors.ts'
import {
  ATTEMPT_STATUS_MEANINGS,
  ATTEMPT_STATUSES,
  RUN_KIND_MEANINGS,
  RUN_KINDS,
  RUN_STATUS_MEANINGS,
  RUN_STATUSES,
} from '../core/status.ts'
import { EVENT_REASON_MEANINGS, EVENT_REASONS } from '../core/transitions.ts'
import { builder } from './builder.ts'

type Values<V extends string> = Record<V, { value: V; description: string }>

/** Each enum derives from its array in core; its descriptions from the table beside it. */
export function described<V extends string>(values: readonly V[], meanings: Record<V, string>): Values<V> {
  return Object.fromEntries(values.map((value) => [value, { value, description: meanings[value] }])) as Values<V>
}

export const RunStatusRef = builder.enumType('RunStatus', {
  description: 'Where a run is. Ended are SUCCEEDED, FAILED, CANCELED, SKIPPED and COMPENSATED.',
  values: described(RUN_STATUSES, RUN_STATUS_MEANINGS),
})

export const AttemptStatusRef = builder.enumType('AttemptStatus', {
  description: 'How an attempt ended, or RUNNING.',
  values: described(ATTEMPT_STATUSES, ATTEMPT_STATUS_MEANINGS),
})

export const RunEventReasonRef = builder.enumType('RunEventReason', {
  description: 'Why a run changed its state.',
  values: described(EVENT_REASONS, EVENT_REASON_MEANINGS),
})

export const RunKindRef = builder.enumType('RunKind', {
  description: 'What a run executes.',
  values: described(RUN_KINDS, RUN_KIND_MEANINGS),
})

export const EffectRef = builder.enumType('Effect', {
  description: 'What a lost outcome means: the word that the definition of the action uses.',
  values: described(EFFECTS, EFFECT_MEANINGS),
})

export const ErrorCodeRef = builder.enumType('ErrorCode', {
  description: 'Why a request was refused. Nothing has been recorded, and the idempotency key is not used up.',
  values: described(ERROR_CODES, {
    ACTION_NOT_FOUND: 'No action of this name is registered.',
    WORKFLOW_NOT_FOUND: 'No workflow of this name is registered.',
    RUN_NOT_FOUND: 'No run has this id.',
    STEP_NOT_FOUND: 'The run has no step of this key.',
    WORKER_NOT_FOUND: 'No live worker has this id: it is to register anew.',
    ATTEMPT_LOST: 'The worker has the attempt no longer: the run was canceled, or went to another hand.',
    INVALID_PARAMS: "The params are not storable JSON, or do not fit the action's schema.",
    INVALID_DEFINITION: 'The definition of the workflow has mistakes; each is named with its path.',
    INVALID_INPUT: 'An argument is out of its range.',
    INVALID_IDEMPOTENCY_KEY: 'The key is not 1 to 255 printable characters.',
    IDEMPOTENCY_MISMATCH: 'The key already names another request.',
    INVALID_TRANSITION: "The run's state does not allow it.",
    PERMISSION_DENIED: 'The API key may not do this.',
    RATE_LIMITED: 'Too many runs of the action wait already.',
    PAYLOAD_TOO_LARGE: 'The params are over the size limit.',
    SERVICE_UNAVAILABLE:
      'The database cannot be reached; whether anything was recorded is not known. Repeat with the same key.',
  }),
})
