import { NonRetryableError } from '../core/errors.ts'
import { chain, type Eventually } from '../core/eventually.ts'
import { byteLength, type Issue, jsonIssues, MAX_JSON_DEPTH } from '../core/json.ts'
import type { RegisteredAction } from './registry.ts'
import { type Validated, validate } from './validate.ts'

/**
 * Checks what a handler returned and turns it into the JSON text that is stored. Throws a `NonRetryableError` that says
 * what is wrong: INVALID_RESULT or RESULT_TOO_LARGE. Returning nothing is returning null.
 */
export function encodeResult(action: RegisteredAction, returned: unknown, maxBytes: number): Eventually<string> {
  return chain(validate(action.resultSchema, returned), (checked) => encode(checked, maxBytes))
}

function encode(checked: Validated, maxBytes: number): string {
  if (!checked.ok) throw invalid('does not match its schema', checked.issues)
  const plain = toPlainJson(checked.value ?? null)
  const issues = jsonIssues(plain)
  if (issues.length > 0) throw invalid('is not valid JSON', issues)
  const text = JSON.stringify(plain)
  const bytes = byteLength(text)
  if (bytes > maxBytes)
    throw new NonRetryableError(`The result takes ${bytes} bytes as JSON; the limit is ${maxBytes}`, {
      code: 'RESULT_TOO_LARGE',
      details: { bytes, limit: maxBytes },
    })
  return text
}

/**
 * Dates and other values with `toJSON` become what JSON makes of them, absent members are left out; what JSON would drop or
 * change without a word (functions, NaN, BigInt, Map) stays, for `jsonIssues` to name; so does what contains itself.
 * @param around the objects that hold the value.
 */
export function toPlainJson(value: unknown, around: readonly object[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (around.length > MAX_JSON_DEPTH || around.includes(value)) return value
  const within = [...around, value]
  if ('toJSON' in value && typeof value.toJSON === 'function') return toPlainJson(value.toJSON(), within)
  if (Array.isArray(value)) return value.map((inner) => toPlainJson(inner, within))
  // a promise is refused as no JSON; that it then fails must not end the process
  if (value instanceof Promise) value.catch(() => {})
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const present = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(present.map(([member, inner]) => [member, toPlainJson(inner, within)]))
}

function invalid(what: string, issues: readonly Issue[]): NonRetryableError {
  const [first] = issues
  const where = first?.path ? `${first.path}: ` : ''
  return new NonRetryableError(`The result ${what}: ${where}${first?.message ?? ''}`, {
    code: 'INVALID_RESULT',
    details: { issues },
  })
}
