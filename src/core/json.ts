/** What JSON from outside may hold. Bounds that keep a value storable, comparable and cheap to walk. */

/** Something wrong with a value, and where: `path` is the members from the root, joined by dots; empty for the root itself. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** The first thing that is wrong, in words. */
export function firstIssue([first]: readonly Issue[]): string {
  return [first?.path, first?.message].filter(Boolean).join(': ') || 'invalid'
}

export const MAX_JSON_DEPTH = 100

/** More are not collected: the first few tell the caller what to mend. */
const MAX_ISSUES = 20

/**
 * Finds what Postgres or RFC 8785 cannot hold: values that are not JSON, NUL characters, lone surrogates, numbers that are
 * not finite, nesting deeper than 100. An empty list means that the value is plain JSON.
 */
export function jsonIssues(value: unknown): Issue[] {
  const issues: Issue[] = []
  walk(value, [], issues)
  return issues
}

/** @param path is that of the value whenever this begins and ends. */
function walk(value: unknown, path: string[], issues: Issue[]): void {
  if (issues.length >= MAX_ISSUES) return
  const problem = scalarProblem(value)
  if (problem) issues.push({ path: path.join('.'), message: problem })
  if (typeof value !== 'object' || value === null || problem) return
  if (path.length >= MAX_JSON_DEPTH) {
    issues.push({ path: path.slice(0, 5).join('.'), message: `is nested deeper than ${MAX_JSON_DEPTH} levels` })
    return
  }
  for (const member of Object.keys(value)) {
    if (issues.length >= MAX_ISSUES) return
    const bad = Array.isArray(value) ? undefined : textProblem(member)
    if (bad) issues.push({ path: path.join('.'), message: `has a member whose name ${bad}` })
    path.push(member)
    walk((value as Record<string, unknown>)[member], path, issues)
    path.pop()
  }
}

function scalarProblem(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return textProblem(value)
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `is ${value}, which JSON cannot hold`
    case 'object':
      if (value === null || Array.isArray(value) || isPlainObject(value)) return undefined
      return `is a ${value.constructor?.name ?? 'object'}, which JSON cannot hold`
    default:
      return `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}, which JSON cannot hold`
  }
}

function textProblem(text: string): string | undefined {
  if (text.includes('\u0000')) return 'contains a NUL character (U+0000), which Postgres cannot store'
  if (!text.isWellFormed()) return 'contains a lone surrogate, which is not Unicode text'
  return undefined
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Text that Postgres can store: NUL and lone surrogates become U+FFFD, what is over `max` characters is cut. */
export function storableText(text: string, max: number): string {
  const bounded = text.length > max ? `${text.slice(0, max)}… (${text.length - max} characters more)` : text
  return bounded.replaceAll('\u0000', '\uFFFD').toWellFormed()
}

/** An object without the members that are null: for inputs where null means the default. */
export function withoutNulls(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

/** The length in bytes of a JSON text as it is stored. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
