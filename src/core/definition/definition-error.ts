import type { Issue } from '../json.ts'
import { RequestError } from '../request-errors.ts'

/** A workflow given as data that cannot be accepted: what is wrong with it, and where. */
export class InvalidDefinitionError extends RequestError {
  readonly code = 'INVALID_DEFINITION' as const
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    const [first] = issues
    const where = first?.path ? `${first.path} ` : ''
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
    super(`The definition is not valid: ${where}${first?.message ?? 'it cannot be read'}${more}`)
    this.issues = issues
  }
}

/** What failed when a definition's expression was evaluated: it depends on the data, so it shows when a run gets there. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'

  /** @param path where the expression stands, e.g. `steps.2.params.email`. */
  constructor(path: string, source: string, problem: string) {
    super(`${path}: \`${shortened(source, 100)}\` ${shortened(problem, 300)}`)
  }
}

/** A text that fits into a message. */
function shortened(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max).toWellFormed()}…` : text
}
