import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from './errors.ts'
import { storableText } from './json.ts'

/** An error as it is recorded: of an attempt, of a run, of an event. */
export interface RunError {
  readonly code: string
  readonly message: string
  /** Whether repeating the attempt could help. */
  readonly retryable: boolean
  readonly details?: unknown
  /** Bounded to 8,000 characters. */
  readonly stack?: string
  /** The chain of `cause`, outermost first, at most 5. */
  readonly causes?: readonly { readonly code?: string; readonly message: string }[]
}

const MAX_MESSAGE = 2_000
const MAX_STACK = 8_000
const MAX_CAUSES = 5
/** Details are for programs that act on a failure; a page of HTML is not. */
const MAX_DETAILS = 16_384

/** Turns whatever a handler threw into the record of it. Never throws, whatever it is given. */
export function recordError(thrown: unknown): RunError {
  try {
    return describe(thrown)
  } catch {
    return { code: DEFAULT_CODE, message: UNDESCRIBABLE, retryable: true }
  }
}

const DEFAULT_CODE = 'ACTION_FAILED'
const UNDESCRIBABLE = 'The handler threw a value that cannot be described'

/** What was thrown, or an error in its place where not even its class can be asked: a proxy may refuse that. */
export function tangible(thrown: unknown): unknown {
  try {
    void (thrown instanceof Error)
    return thrown
  } catch {
    return new Error(UNDESCRIBABLE)
  }
}

function describe(thrown: unknown): RunError {
  const causes = causesOf(thrown)
  const details = boundedDetails(memberOf(thrown, 'details'))
  const stack = memberOf(thrown, 'stack')
  return {
    code: codeOf(thrown) ?? DEFAULT_CODE,
    message: messageOf(thrown),
    retryable: !(thrown instanceof NonRetryableError),
    ...(details !== undefined && { details }),
    ...(typeof stack === 'string' && { stack: storableText(stack, MAX_STACK) }),
    ...(causes.length > 0 && { causes }),
  }
}

function messageOf(thrown: unknown): string {
  const given = [memberOf(thrown, 'message'), memberOf(thrown, 'name')]
  const text = given.find((member): member is string => typeof member === 'string' && member !== '')
  return storableText(text ?? textOf(thrown), MAX_MESSAGE)
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return UNDESCRIBABLE
  }
}

/** Node's and most libraries' `code`; anything that is no upper-case word is not one. */
function codeOf(thrown: unknown): string | undefined {
  const code = memberOf(thrown, 'code')
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : undefined
}

function causesOf(thrown: unknown): { code?: string; message: string }[] {
  const causes: { code?: string; message: string }[] = []
  const seen = new Set<unknown>([thrown])
  let cause = memberOf(thrown, 'cause')
  while (cause !== undefined && cause !== null && !seen.has(cause) && causes.length < MAX_CAUSES) {
    seen.add(cause)
    const code = codeOf(cause)
    causes.push({ ...(code !== undefined && { code }), message: messageOf(cause) })
    cause = memberOf(cause, 'cause')
  }
  return causes
}

/** Details that are no JSON (they lead back to themselves, say) are left out: the rest of the record says more. */
function boundedDetails(details: unknown): unknown {
  if (details === undefined || details === null) return undefined
  try {
    const text = JSON.stringify(details, (_, value) => storableValue(value))
    if (text === undefined) return undefined
    return text.length > MAX_DETAILS ? { truncated: storableText(text, 1_000) } : JSON.parse(text)
  } catch {
    return undefined
  }
}

function storableValue(value: unknown): unknown {
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

/** What a thrown value says about the failure, besides its description. */
export interface FailureSignals {
  readonly permanent: boolean
  readonly retryAfterMs: number | undefined
  readonly outcomeUnknown: boolean
}

export function signalsOf(thrown: unknown): FailureSignals {
  return {
    permanent: thrown instanceof NonRetryableError,
    retryAfterMs: thrown instanceof RetryAfterError ? thrown.retryAfterMs : undefined,
    outcomeUnknown: thrown instanceof OutcomeUnknownError,
  }
}
