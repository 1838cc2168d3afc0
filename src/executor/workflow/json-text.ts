import { byteLength, jsonIssues } from '../../core/json.ts'
import { toPlainJson } from '../result.ts'
import { LogicError } from './logic-error.ts'

/** The JSON text of what a mapper returned. Throws a `LogicError` for what is no JSON, or over the limit. */
export function encodeJson(value: unknown, maxBytes: number, what: string): string {
  const plain = toPlainJson(value)
  const issues = jsonIssues(plain)
  if (issues.length > 0) {
    const [first] = issues
    throw new LogicError('INVALID_PARAMS', `The ${what} is no JSON: ${first?.path || 'it'} ${first?.message}`, {
      issues,
    })
  }
  const text = JSON.stringify(plain)
  const bytes = byteLength(text)
  if (bytes > maxBytes)
    throw new LogicError('PAYLOAD_TOO_LARGE', `The ${what} takes ${bytes} bytes as JSON; the limit is ${maxBytes}`)
  return text
}
