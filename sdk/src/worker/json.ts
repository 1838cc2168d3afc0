import type { Issue } from '../errors.ts'

/** What the server stores of JSON is bounded; what it would refuse is found here, where the function can be told. */

const MAX_DEPTH = 100
/** More are not collected: the first few tell what to mend. */
const MAX_ISSUES = 20
/** With the flag `u`, pairs of surrogates are one character: only lone ones are found. */
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Values with `toJSON`, such as a Date, become what JSON makes of them, and absent members are left out. What JSON would drop or
 * change without a word (functions, NaN, BigInt, Map) stays, for `jsonIssues` to name.
 */
export function toPlainJson(value: unknown, around: readonly object[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (around.length > MAX_DEPTH || around.includes(value)) return value
  const within = [...around, value]
  if ('toJSON' in value && typeof value.toJSON === 'function') return toPlainJson(value.toJSON(), within)
  if (Array.isArray(value)) return value.map((inner) => toPlainJson(inner, within))
  // it is refused as no JSON; that it then fails must not end the process
  if (value instanceof Promise) value.catch(() => {})
  if (!isPlainObject(value)) return value
  const present = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(present.map(([member, inner]) => [member, toPlainJson(inner, within)]))
}

/** What is wrong with a value that is to be stored as JSON; nothing where it is plain JSON. */
export function jsonIssues(value: unknown): Issue[] {
  const issues: Issue[] = []
  collect(value, [], issues)
  return issues
}

function collect(value: unknown, path: readonly string[], issues: Issue[]): void {
  if (issues.length >= MAX_ISSUES) return
  const problem = path.length > MAX_DEPTH ? `is nested deeper than ${MAX_DEPTH} levels` : problemOf(value)
  if (problem) {
    issues.push({ path: path.slice(0, 5).join('.'), message: problem })
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [member, inner] of Object.entries(value)) {
    const bad = problemOfText(member)
    if (bad) issues.push({ path: path.join('.'), message: `has a member whose name ${bad}` })
    collect(inner, [...path, member], issues)
  }
}

function problemOf(value: unknown): string | undefined {
  if (typeof value === 'string') return problemOfText(value)
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return undefined
  if (typeof value === 'object' && (Array.isArray(value) || isPlainObject(value))) return undefined
  return `is ${nameOf(value)}, which JSON cannot hold`
}

function nameOf(value: unknown): string {
  if (value === undefined || typeof value === 'number') return String(value)
  if (typeof value === 'object') return `a ${value?.constructor?.name ?? 'object'}`
  return `a ${typeof value}`
}

function problemOfText(text: string): string | undefined {
  if (text.includes('\u0000')) return 'contains a NUL character (U+0000), which cannot be stored'
  return LONE_SURROGATE.test(text) ? 'contains a lone surrogate, which is not Unicode text' : undefined
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The length in bytes of a text as it is sent. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** Text that can be stored: what cannot becomes U+FFFD, what is over `max` characters is cut. */
export function storableText(text: string, max: number): string {
  const bounded = text.length > max ? `${text.slice(0, max)}… (${text.length - max} characters more)` : text
  return bounded.replace(/\u0000|\p{Surrogate}/gu, '\uFFFD')
}
