import { expect, test } from 'vitest'
import { InvalidDefinitionError } from '../../src/core/definition/definition-error.ts'
import * as errors from '../../src/core/request-errors.ts'

const issue = (path: string, message: string) => ({ path, message })

const refusals: [errors.RequestError, errors.ErrorCode, string][] = [
  [
    new errors.ActionNotFoundError('nope', []),
    'ACTION_NOT_FOUND',
    'There is no action "nope". No action is registered.',
  ],
  [
    new errors.ActionNotFoundError('nope', ['a', 'b']),
    'ACTION_NOT_FOUND',
    'There is no action "nope". Registered are: a, b.',
  ],
  [
    new errors.WorkflowNotFoundError('nope', ['a']),
    'WORKFLOW_NOT_FOUND',
    'There is no workflow "nope". Registered are: a.',
  ],
  [
    new errors.StepNotFoundError('pay', ['user', 'mail']),
    'STEP_NOT_FOUND',
    'The run has no step "pay". Its steps are: user, mail.',
  ],
  [
    new InvalidDefinitionError([issue('steps.1.params.to', 'names no step')]),
    'INVALID_DEFINITION',
    'The definition is not valid: steps.1.params.to names no step',
  ],
  [
    new errors.RunNotFoundError('run_1'),
    'RUN_NOT_FOUND',
    'There is no run "run_1". A run\'s id is "run_" and 26 characters.',
  ],
  [
    new errors.WorkerNotFoundError('w:1'),
    'WORKER_NOT_FOUND',
    'No live worker is "w:1": its lease has expired, or it was stopped. Register anew.',
  ],
  [
    new errors.AttemptLostError('run_1', 2, 'CANCELED'),
    'ATTEMPT_LOST',
    'The worker does not have attempt 2 of run_1 any more; the run is CANCELED. Drop what it did.',
  ],
  [
    new errors.StepNotFoundError('pay'),
    'STEP_NOT_FOUND',
    'The run has no step "pay": it executes a single action. Leave `step` out.',
  ],
  [
    new errors.InvalidParamsError('mail', [issue('to.0', 'is no address')]),
    'INVALID_PARAMS',
    'The params do not fit the action mail: params.to.0: is no address',
  ],
  [
    new errors.InvalidParamsError('mail', [issue('', 'is no object'), issue('a', 'b'), issue('c', 'd')]),
    'INVALID_PARAMS',
    'The params do not fit the action mail: is no object (and 2 more)',
  ],
  [new errors.InvalidParamsError('mail', []), 'INVALID_PARAMS', 'The params do not fit the action mail: invalid'],
  [new errors.InvalidInputError('waitMs', 'is -1'), 'INVALID_INPUT', 'waitMs is -1'],
  [
    new errors.InvalidIdempotencyKeyError('is empty'),
    'INVALID_IDEMPOTENCY_KEY',
    'The idempotency key is empty. A key is 1 to 255 printable characters.',
  ],
  [
    new errors.IdempotencyMismatchError('id'),
    'IDEMPOTENCY_MISMATCH',
    'The idempotency key already names a request with other params. Use a new key for a new intent.',
  ],
  [
    new errors.InvalidTransitionError('canceled', 'SUCCEEDED', ['QUEUED', 'RUNNING']),
    'INVALID_TRANSITION',
    'A run that is SUCCEEDED cannot be canceled; only one that is QUEUED, RUNNING can.',
  ],
  [
    new errors.InvalidTransitionError('retried', 'PENDING', ['FAILED'], { step: 'a', hint: 'Wait for it.' }),
    'INVALID_TRANSITION',
    'Step "a" is PENDING and cannot be retried; only one that is FAILED can. Wait for it.',
  ],
  [
    new errors.InvalidTransitionError('skipped', 'FAILED', [], { step: 'a' }),
    'INVALID_TRANSITION',
    'Step "a" is FAILED and cannot be skipped.',
  ],
  [
    new errors.InvalidTransitionError('resumed', 'RUNNING', [], { message: 'The run is not paused.' }),
    'INVALID_TRANSITION',
    'The run is not paused.',
  ],
  [new errors.PermissionDeniedError('This key may only read.'), 'PERMISSION_DENIED', 'This key may only read.'],
  [
    new errors.RateLimitedError('mail', 9),
    'RATE_LIMITED',
    '9 runs of mail wait already. Nothing was recorded: try again later with the same key.',
  ],
  [
    new errors.PayloadTooLargeError(2_000, 1_000),
    'PAYLOAD_TOO_LARGE',
    'The params take 2000 bytes as JSON; the limit is 1000. Store large data elsewhere and pass a reference.',
  ],
  [
    new errors.ServiceUnavailableError(new Error('ECONNREFUSED')),
    'SERVICE_UNAVAILABLE',
    'The database cannot be reached at the moment. Repeat the call with the same idempotency key.',
  ],
]

test.each(refusals)('%s', (error, code, message) => {
  expect(error).toBeInstanceOf(errors.RequestError)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ code, message })
  expect(errors.ERROR_CODES).toContain(code)
})

test('every code is listed once, and every refusal that there is has one of its own', () => {
  expect(new Set(errors.ERROR_CODES).size).toBe(errors.ERROR_CODES.length)
  const raised = new Set(refusals.map(([{ code }]) => code))
  expect(errors.ERROR_CODES.filter((code) => !raised.has(code))).toEqual([])
  expect(new Set(refusals.map(([error]) => error.constructor)).size).toBe(raised.size)
})

test('what the caller can act on is a field, not only words', () => {
  const issues = [issue('a', 'b')]
  expect(new errors.InvalidParamsError('mail', issues).issues).toBe(issues)
  expect(new errors.InvalidInputError('waitMs', 'is -1').path).toBe('waitMs')
  expect(new errors.IdempotencyMismatchError('id', 'arguments')).toMatchObject({ runId: 'id' })
  expect(new errors.InvalidTransitionError('retried', 'QUEUED', ['FAILED']).status).toBe('QUEUED')
})

test('a message stays short and printable however long the caller’s text is', () => {
  const long = '🔑\u0000\n'.repeat(100_000)
  const names = Array.from({ length: 1_000 }, (_, i) => `action-${i}`)
  for (const { message } of [
    new errors.ActionNotFoundError(long, names),
    new errors.RunNotFoundError(long),
    new errors.StepNotFoundError(long),
  ]) {
    expect(message.length).toBeLessThan(1_500)
    expect(message).not.toMatch(/[\u0000-\u001F]/)
    expect(message.isWellFormed()).toBe(true)
  }
})

test('of a database that is away the message says to repeat with the same key: whether anything was recorded is not known', () => {
  const cause = new Error('ECONNREFUSED')
  const error = new errors.ServiceUnavailableError(cause)
  expect(error).toBeInstanceOf(errors.RequestError)
  expect(error.code).toBe('SERVICE_UNAVAILABLE')
  expect(error.cause).toBe(cause)
  expect(error.message).toContain('the same idempotency key')
})
