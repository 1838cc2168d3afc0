import type { Issue } from '../errors.ts'
import { NonRetryableError } from '../handler-errors.ts'
import { jsonIssues, toPlainJson } from './json.ts'
import { check, firstIssue, type Schema } from './schema.ts'

/** What a function returned, as JSON can hold it. Rejects with a `NonRetryableError`, INVALID_RESULT. Nothing is null. */
export async function checkedResult(schema: Schema | undefined, returned: unknown): Promise<unknown> {
  const checked = await check(schema, returned)
  if (checked.issues) throw invalid('does not match its schema', checked.issues)
  const plain = toPlainJson(checked.value ?? null)
  const issues = jsonIssues(plain)
  if (issues.length > 0) throw invalid('is not valid JSON', issues)
  return plain
}

function invalid(what: string, issues: readonly Issue[]): NonRetryableError {
  return new NonRetryableError(`The result ${what}: ${firstIssue(issues)}`, {
    code: 'INVALID_RESULT',
    details: { issues },
  })
}
