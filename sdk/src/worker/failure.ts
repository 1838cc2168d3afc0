import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../handler-errors.ts'
import { storableText } from './json.ts'
import { AttemptTimeout, WorkerStopped } from './reasons.ts'
import type { AttemptFailure, Report, WireFailure } from './wire.ts'

const MAX_MESSAGE = 2_000
/** Details are for programs that act on a failure; a page of HTML is not. */
const MAX_DETAILS = 16_384
const UNDESCRIBABLE = 'The function threw a value that cannot be described'

/** JSON has no Infinity: ten years, the longest wait that the server knows. */
const MAX_DELAY_MS = 3_660 * 86_400_000

/** What is reported of whatever a function threw, or of why it was cut. Never throws. */
export function failureReport(thrown: unknown): Report & { kind: 'fail' } {
  const error = describe(thrown)
  try {
    if (thrown instanceof RetryAfterError)
      return { kind: 'fail', failure: 'FAILED', error, retryAfterMs: Math.min(thrown.retryAfterMs, MAX_DELAY_MS) }
    return { kind: 'fail', failure: meaningOf(thrown), error }
  } catch {
    // a proxy may refuse even to say its class
    return { kind: 'fail', failure: 'FAILED', error }
  }
}

function meaningOf(thrown: unknown): AttemptFailure {
  if (thrown instanceof AttemptTimeout) return 'TIMED_OUT'
  if (thrown instanceof WorkerStopped) return 'STOPPED'
  if (thrown instanceof StillRunning || thrown instanceof ProbeError) return 'UNDECIDED'
  return thrown instanceof OutcomeUnknownError ? 'OUTCOME_UNKNOWN' : 'FAILED'
}

/** An unsafe function that was cut goes on: what it will have done, nobody knows. */
export class StillRunning extends Error {
  readonly cut: Error
  constructor(cut: Error) {
    super('The function goes on after it was cut')
    this.cut = cut
  }
}

/** What was found out about a lost outcome, where it decides nothing. */
export class ProbeError extends Error {
  readonly code = 'OUTCOME_UNKNOWN'
  readonly details: unknown
  constructor(found: string, cause?: unknown) {
    super(`The outcome of an attempt was lost; of its effect the probe says: ${found}`, { cause })
    this.details = cause === undefined ? undefined : { cause: describe(cause) }
  }
}

/** The error as it is recorded. Never throws, whatever it is given. */
function describe(thrown: unknown): WireFailure {
  try {
    if (thrown instanceof StillRunning) return describe(thrown.cut)
    const details = boundedDetails(memberOf(thrown, 'details'))
    return {
      code: codeOf(thrown) ?? 'ACTION_FAILED',
      message: messageOf(thrown),
      retryable: !(thrown instanceof NonRetryableError),
      ...(details !== undefined && { details }),
    }
  } catch {
    return { code: 'ACTION_FAILED', message: UNDESCRIBABLE, retryable: true }
  }
}

function messageOf(thrown: unknown): string {
  const given = [memberOf(thrown, 'message'), memberOf(thrown, 'name')]
  const text = given.find((member): member is string => typeof member === 'string' && member !== '')
  return storableText(text ?? String(thrown), MAX_MESSAGE)
}

/** Node's and most libraries' `code`; anything that is no upper-case word is not one. */
function codeOf(thrown: unknown): string | undefined {
  const code = memberOf(thrown, 'code')
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : undefined
}

/** Details that are no JSON are left out: the rest of the record says more. */
function boundedDetails(details: unknown): unknown {
  if (details === undefined || details === null) return undefined
  try {
    const text = JSON.stringify(details, (_, value) => storable(value)) as string | undefined
    if (text === undefined) return undefined
    return text.length > MAX_DETAILS ? { truncated: storableText(text, 1_000) } : JSON.parse(text)
  } catch {
    return undefined
  }
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value, MAX_DETAILS)
  if (typeof value === 'bigint') return `${value}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storableText(name, MAX_DETAILS), inner]))
}

function memberOf(thrown: unknown, member: string): unknown {
  try {
    return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, member) : undefined
  } catch {
    // a getter that throws hides that member, not the others
    return undefined
  }
}
