import { EFFECTS } from '../effect.ts'
import { MAX_DELAY_MS } from '../retry.ts'
import { ON_ERROR } from '../workflow/graph.ts'
import {
  MAX_AT_ONCE,
  MAX_DESCRIPTION_LENGTH,
  MAX_EXPRESSION_LENGTH,
  MAX_ITEMS,
  MAX_ITERATIONS,
  MAX_NAME_LENGTH,
  MAX_TIMEOUT_MS,
} from './limits.ts'
import { NAME, RESERVED_KEYS, SIGNAL_NAME, STEP_KEY } from './step-kinds.ts'

const key = {
  type: 'string',
  pattern: STEP_KEY.source,
  maxLength: MAX_NAME_LENGTH,
  not: { enum: [...RESERVED_KEYS] },
}
const keys = { type: 'array', items: { type: 'string' }, uniqueItems: true }
const name = { type: 'string', pattern: NAME.source, maxLength: MAX_NAME_LENGTH }
const signalName = { type: 'string', pattern: SIGNAL_NAME.source, maxLength: MAX_NAME_LENGTH }
const text = { type: 'string', minLength: 1, maxLength: MAX_EXPRESSION_LENGTH }
/** A text with an expression in it. */
const dynamic = { type: 'string', pattern: '\\$\\{' }
const whole = (maximum: number) => ({ type: 'integer', minimum: 1, maximum })

const COMMON = {
  key: { description: 'Its name: what expressions and other steps refer to.', ...key },
  description: { description: 'For people.', type: 'string', minLength: 1, maxLength: MAX_DESCRIPTION_LENGTH },
  after: { description: 'The steps that come before it. Default: the one declared before; [] is none.', ...keys },
  when: { description: 'An expression; the step is skipped where it is false.', ...text },
  onError: { description: 'What becomes of the workflow when the step has finally failed.', enum: ON_ERROR },
  join: {
    description: 'When it runs: once all, any, or so many of the steps before it were completed. Default all.',
    anyOf: [{ enum: ['all', 'any'] }, { type: 'integer', minimum: 1 }],
  },
  others: {
    description: 'What happens to the steps that a join of any or a number did not wait for. Default finish.',
    enum: ['finish', 'cancel'],
  },
  onSkipped: {
    description: 'Whether it runs although all before it were skipped. Default skip.',
    enum: ['skip', 'run'],
  },
  cancels: {
    description: 'The steps that are canceled when it has succeeded; "*": all others, so that the workflow ends.',
    ...keys,
  },
  completes: {
    description: 'The lists that are done when it has succeeded, with the results that they have by then.',
    ...keys,
  },
}

const WORK = {
  action: { description: 'Calls this action.', ...name },
  workflow: { description: 'Runs this workflow.', ...name },
  value: { description: 'A template: computes a value.' },
  sleep: {
    description: 'Waits so many milliseconds.',
    anyOf: [{ type: 'number', minimum: 0, maximum: MAX_DELAY_MS }, dynamic],
  },
  sleepUntil: {
    description: 'Waits for a moment, such as 2027-01-01T00:00:00Z.',
    anyOf: [
      { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)$' },
      dynamic,
    ],
  },
  signal: { description: 'Waits for the signal of this name.', ...signalName },
  approval: {
    description: 'Waits for a decision of this name; true: the key is the name.',
    anyOf: [{ const: true }, signalName],
  },
}

const CALL = {
  params: { description: 'A template: the params. Default {}.', anyOf: [{ type: 'object' }, { type: 'string' }] },
  forEach: {
    description: 'A list, or an expression that gives one: runs once for each, with item and index in its expressions.',
    anyOf: [{ type: 'array' }, dynamic],
  },
  concurrency: { description: 'How many elements at once. Default: all.', ...whole(MAX_AT_ONCE) },
  need: {
    description: 'How many elements must be completed for the list to be done. Default: all.',
    ...whole(MAX_ITEMS),
  },
  until: {
    description: 'An expression, which sees the results so far as result: where it is true, the list is done.',
    ...text,
  },
  rest: {
    description: 'What happens to the elements that need or until did not wait for. Default finish.',
    enum: ['finish', 'cancel'],
  },
  more: { description: 'The signal that adds an element while the list runs.', ...signalName },
  repeat: {
    description: 'Runs again until an expression is true, which sees result and index; params see previous and index.',
    type: 'object',
    required: ['until', 'max'],
    additionalProperties: false,
    properties: { until: text, max: whole(MAX_ITERATIONS) },
  },
  idempotencyKey: { description: 'A template: runs of the same action with the same key are one execution.', ...text },
  limit: {
    description: 'At most max of those that share the key run at once, in one run or everywhere.',
    type: 'object',
    required: ['max'],
    additionalProperties: false,
    properties: { key: text, max: whole(MAX_AT_ONCE), scope: { enum: ['run', 'everywhere'] } },
  },
  retry: {
    description: 'How its failures are repeated, instead of what the action says.',
    type: 'object',
    additionalProperties: false,
    properties: {
      maxAttempts: whole(32_767),
      deadlineMs: { type: 'number', exclusiveMinimum: 0 },
      backoff: {
        type: 'object',
        additionalProperties: false,
        properties: {
          initialMs: { type: 'number', minimum: 0 },
          factor: { type: 'number', minimum: 1 },
          maxMs: { type: 'number', minimum: 0 },
          jitter: { type: 'boolean' },
        },
      },
    },
  },
  timeoutMs: { description: 'Milliseconds that one attempt may take.', ...whole(MAX_TIMEOUT_MS) },
  effect: { description: 'What a lost outcome means.', enum: EFFECTS },
}

const WAIT = {
  payloadSchema: {
    description: 'A JSON Schema of what the signal brings, or of an element that more adds.',
    type: ['object', 'boolean'],
  },
  transient: { description: 'Takes only what is sent while it waits. Default false.', type: 'boolean' },
  deadlineMs: { description: 'Milliseconds that it waits. Default: for ever.', ...whole(MAX_DELAY_MS) },
  fallback: { description: 'What it brings when nobody has come by then. Without: the step fails.' },
  approvers: {
    description: 'The API keys, by name, that may decide. Default: any.',
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    uniqueItems: true,
  },
}

/** The members of a step. Which of them go together depends on its kind. */
export const STEP_PROPERTIES = { ...COMMON, ...WORK, ...CALL, ...WAIT }
