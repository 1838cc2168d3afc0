import type { Iteration, Scope } from '../workflow/logic.ts'
import { Budget } from './budget.ts'
import { compileExpression, type Expression, type Values } from './expression.ts'
import type { Issues, Path } from './issues.ts'
import { MAX_EXPRESSIONS } from './limits.ts'
import { partsOf } from './placeholders.ts'
import { compileTemplate, type Render } from './template.ts'

/** What a place of a definition gives in a run. The scope's own errors pass through. */
export type Evaluate = (scope: Scope, iteration?: Iteration) => unknown

/** That an expression of a step names another step, which therefore must come before. */
export interface Use {
  readonly path: Path
  /** Undefined for the result of the workflow, which may name every step. */
  readonly by: string | undefined
  readonly step: string
}

/** The names of a place beside `params` and the steps, and what they mean. */
export type PlaceNames = 'none' | 'item' | 'previous' | 'result'

const OWN_NAMES: Record<PlaceNames, ReadonlySet<string>> = {
  none: new Set(['params']),
  item: new Set(['params', 'item', 'index']),
  previous: new Set(['params', 'previous', 'index']),
  result: new Set(['params', 'result', 'index']),
}

/** Compiles the templates and conditions of one definition, and gathers what they name. */
export class Places {
  readonly uses: Use[] = []
  readonly #steps: ReadonlySet<string>
  readonly #issues: Issues
  #count = 0

  constructor(steps: ReadonlySet<string>, issues: Issues) {
    this.#steps = steps
    this.#issues = issues
  }

  /** JSON whose texts may hold `${…}`. @param by the key of the step that it belongs to. */
  template(value: unknown, path: Path, by: string | undefined, names: PlaceNames = 'none'): Evaluate {
    const expressions: Expression[] = []
    const compile = (source: string, at: Path) => this.#compile(source, at, by, names, expressions)
    const render = compileTemplate(value, path, compile, (at, problem) => this.#issues.add(at, problem))
    return evaluator(render, expressions)
  }

  /** A bare expression, or one `${…}` around all of it, that gives true or false. */
  condition(text: string, path: Path, by: string, names: PlaceNames = 'none'): Evaluate {
    const expressions: Expression[] = []
    const expression = this.#compile(bare(text), path, by, names, expressions)
    const evaluate = evaluator((values, budget) => expression?.evaluate(values, budget), expressions)
    return (scope, iteration) => {
      const verdict = evaluate(scope, iteration)
      if (typeof verdict !== 'boolean') throw new Error(`${path.join('.')} gives neither true nor false`)
      return verdict
    }
  }

  #compile(
    source: string,
    path: Path,
    by: string | undefined,
    names: PlaceNames,
    expressions: Expression[],
  ): Expression | undefined {
    if (++this.#count === MAX_EXPRESSIONS + 1)
      this.#issues.add(path, `is over the ${MAX_EXPRESSIONS} expressions allowed`)
    // what is found no more need not be looked for
    if (this.#count > MAX_EXPRESSIONS || this.#issues.full) return undefined
    const compiled = compileExpression(source, { own: OWN_NAMES[names], steps: this.#steps }, path.join('.'))
    if ('problems' in compiled) {
      for (const problem of compiled.problems) this.#issues.add(path, problem)
      return undefined
    }
    for (const step of compiled.expression.steps) this.uses.push({ path, by, step })
    expressions.push(compiled.expression)
    return compiled.expression
  }
}

/** Asks the scope for exactly those steps that the expressions name, before any of them is evaluated. */
function evaluator(render: Render, expressions: readonly Expression[]): Evaluate {
  const steps = new Set(expressions.flatMap((expression) => [...expression.steps]))
  return (scope, iteration) => render(valuesOf(steps, scope, iteration), new Budget())
}

function valuesOf(steps: ReadonlySet<string>, scope: Scope, iteration: Iteration | undefined): Values {
  // what was skipped, and what is before the first iteration, is null: CEL knows nothing undefined
  const item = iteration?.item ?? null
  const values = new Map<string, unknown>()
  const byKey: Record<string, unknown> = Object.create(null)
  for (const step of steps) {
    const result = scope.result(step) ?? null
    values.set(step, result)
    byKey[step] = result
  }
  values.set('steps', byKey)
  values.set('params', scope.params ?? null)
  values.set('index', iteration?.index ?? 0)
  for (const name of ['item', 'previous', 'result']) values.set(name, item)
  return values
}

/** The expression itself where a condition was written as `${…}`. */
function bare(text: string): string {
  if (!text.startsWith('${')) return text
  const parts = partsOf(text)
  const [only] = parts ?? []
  return parts?.length === 1 && only && 'source' in only ? only.source : text
}
