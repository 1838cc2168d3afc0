import type { Budget } from './budget.ts'
import type { Expression, Values } from './expression.ts'
import type { Path } from './issues.ts'
import { type Part, partsOf } from './placeholders.ts'

/** Compiles the expressions of one place; notes what is wrong with one and gives undefined. */
export type CompileAt = (source: string, path: Path) => Expression | undefined

/** Gives a value, all its expressions together within one budget. */
export type Render = (values: Values, budget: Budget) => unknown

/**
 * Compiles JSON whose texts may hold `${ expression }`. What holds none is given as it is, without a copy.
 * @param wrong gets what is wrong with a text.
 */
export function compileTemplate(value: unknown, path: Path, compile: CompileAt, wrong: Wrong): Render {
  return compileValue(value, path, compile, wrong) ?? (() => value)
}

type Wrong = (path: Path, problem: string) => void

/** Undefined for what is constant. */
function compileValue(value: unknown, path: Path, compile: CompileAt, wrong: Wrong): Render | undefined {
  if (typeof value === 'string') return compileText(value, path, compile, wrong)
  if (typeof value !== 'object' || value === null) return undefined
  const members = Object.entries(value).map(([member, inner]) => {
    const render = compileValue(inner, [...path, member], compile, wrong)
    return { member, inner, render }
  })
  if (members.every(({ render }) => render === undefined)) return undefined
  if (Array.isArray(value))
    return (values, budget) => members.map(({ inner, render }) => (render ? render(values, budget) : inner))
  // fromEntries makes an own member even of `__proto__`
  return (values, budget) =>
    Object.fromEntries(members.map(({ member, inner, render }) => [member, render ? render(values, budget) : inner]))
}

function compileText(text: string, path: Path, compile: CompileAt, wrong: Wrong): Render | undefined {
  if (!text.includes('${')) return undefined
  const parts = partsOf(text)
  if (!parts) {
    wrong(path, 'has a ${ that is never closed; write $${ for the two characters')
    return undefined
  }
  const [only] = parts
  const renders = parts.map((part) => compilePart(part, path, compile))
  if (parts.length === 1 && only && 'source' in only) return renders[0]
  return (values, budget) => {
    const texts = renders.map((render) => asText(render(values, budget)))
    const whole = texts.join('')
    budget.give(whole.length)
    return whole
  }
}

function compilePart(part: Part, path: Path, compile: CompileAt): Render {
  if ('text' in part) return () => part.text
  const expression = compile(part.source, path)
  return (values, budget) => expression?.evaluate(values, budget)
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
