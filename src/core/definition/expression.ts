import type { Budget } from './budget.ts'
import { celProblem, parseCel } from './cel.ts'
import { ExpressionError } from './definition-error.ts'
import { MAX_EXPRESSION_LENGTH } from './limits.ts'
import { meter, type Purse } from './metering.ts'
import { toPlain } from './plain.ts'
import { type Names, type References, referencesOf } from './references.ts'

/** The values that an expression may name, by name; `steps` holds those that it names by their keys. */
export type Values = ReadonlyMap<string, unknown>

export interface Expression {
  /** Its own names and the steps that it names. */
  readonly own: ReadonlySet<string>
  readonly steps: ReadonlySet<string>
  /** Gives plain JSON. @throws an ExpressionError. */
  evaluate(values: Values, budget: Budget): unknown
}

export type Compiled = { readonly expression: Expression } | { readonly problems: readonly string[] }

/**
 * Compiles an expression and finds what it names.
 * @param path where it stands, for the errors of its evaluation.
 */
export function compileExpression(source: string, names: Names, path: string): Compiled {
  if (source.trim() === '') return { problems: ['has an empty expression'] }
  if (source.length > MAX_EXPRESSION_LENGTH)
    return { problems: [`has an expression of more than ${MAX_EXPRESSION_LENGTH} characters`] }
  try {
    return compile(source, names, path)
  } catch (error) {
    return { problems: [problemWithPlace(error)] }
  }
}

function compile(source: string, names: Names, path: string): Compiled {
  const parsed = parseCel(source)
  const references: References = referencesOf(parsed.ast, names)
  if (references.problems.length > 0) return { problems: references.problems }
  const checked = parsed.check()
  if (!checked.valid) return { problems: [problemWithPlace(checked.error)] }
  const purse: Purse = { budget: undefined }
  meter(parsed.ast, purse)
  const run = (values: Values) => parsed(values as unknown as Record<string, unknown>)
  const { own, steps } = references
  const evaluate = (values: Values, budget: Budget) => {
    purse.budget = budget
    try {
      return toPlain(
        within(budget, () => run(values)),
        budget,
      )
    } catch (error) {
      throw new ExpressionError(path, source, evaluationProblem(error))
    } finally {
      purse.budget = undefined
    }
  }
  return { expression: { own, steps, evaluate } }
}

/** What it gives. Having gone over the budget comes before every other error, and before a value that swallowed it. */
function within(budget: Budget, run: () => unknown): unknown {
  try {
    budget.spend(1)
    return run()
  } finally {
    budget.check()
  }
}

/** The library's errors have a `code`; the budget's and our own go on after the expression as they are. */
function evaluationProblem(error: unknown): string {
  return error instanceof Error && !('code' in error) ? error.message : celProblem(error)
}

function problemWithPlace(error: unknown): string {
  const { range } = error as { range?: { start?: number } }
  const place = typeof range?.start === 'number' ? ` at character ${range.start + 1}` : ''
  return `has an expression that ${celProblem(error)}${place}`
}
