import canonicalize from 'canonicalize'
import type { Issue } from '../json.ts'
import type { Checked } from '../workflow/logic.ts'
import { Budget } from './budget.ts'
import { Issues, type Path, shown } from './issues.ts'
import { isObject, type JsonObject } from './members.ts'
import { resolveReference, type Schema } from './schema-acceptance.ts'
import { FORMATS } from './schema-keywords.ts'

/**
 * Checks a value against an accepted JSON Schema by walking both, and fills in the defaults of absent members.
 *
 * Interpreted here, since schema and value both come from strangers and the work must be bounded by what it costs: with
 * `@cfworker/json-schema` 4.1.6, a schema of 25 KB (1,000 × `allOf`) keeps the event loop busy for 20 s with an object of
 * 1 MB, a few `$ref` for ever, and nothing can stop it. The others compile to code, or need Node 22.
 */
export function checkBySchema(schema: Schema, given: unknown): Checked {
  const value = withDefaults(schema, given)
  const issues = new Issues()
  try {
    new Check(schema, new Budget()).visit(schema, value, [], issues)
  } catch (error) {
    // too much work, or nested so deep that the stack ends
    return { ok: false, issues: [{ path: '', message: `is too large for its schema: ${(error as Error).message}` }] }
  }
  return issues.list.length === 0 ? { ok: true, value } : { ok: false, issues: issues.list as Issue[] }
}

/** Defaults of `properties`, of the value and of the objects and lists in it; not those behind `$ref` or `anyOf`. */
function withDefaults(schema: Schema | undefined, value: unknown): unknown {
  if (!isObject(schema)) return value
  if (Array.isArray(value) && isObject(schema.items))
    return value.map((each) => withDefaults(schema.items as Schema, each))
  if (!isObject(value) || !isObject(schema.properties)) return value
  const filled = new Map(Object.entries(value))
  for (const [name, property] of Object.entries(schema.properties)) {
    if (!isObject(property)) continue
    if (filled.has(name)) filled.set(name, withDefaults(property, filled.get(name)))
    else if (Object.hasOwn(property, 'default')) filled.set(name, structuredClone(property.default))
  }
  return Object.fromEntries(filled)
}

class Check {
  readonly #root: Schema
  readonly #budget: Budget

  constructor(root: Schema, budget: Budget) {
    this.#root = root
    this.#budget = budget
  }

  visit(schema: Schema, value: unknown, path: Path, issues: Issues): void {
    // about a microsecond, twice what a budget counts with
    this.#budget.spend(2)
    if (typeof schema !== 'boolean') this.#keywords(schema, value, path, issues)
    else if (!schema) issues.add(path, 'is not allowed')
  }

  #keywords(schema: JsonObject, value: unknown, path: Path, issues: Issues): void {
    this.#general(schema, value, path, issues)
    if (typeof value === 'number') number(schema, value, path, issues)
    else if (typeof value === 'string') this.#text(schema, value, path, issues)
    else if (Array.isArray(value)) this.#list(schema, value, path, issues)
    else if (isObject(value)) this.#object(schema, value, path, issues)
    this.#combined(schema, value, path, issues)
  }

  #fits(schema: Schema, value: unknown, path: Path): boolean {
    const issues = new Issues()
    this.visit(schema, value, path, issues)
    return issues.list.length === 0
  }

  #general(schema: JsonObject, value: unknown, path: Path, issues: Issues): void {
    const { $ref, type, enum: choices } = schema
    if (typeof $ref === 'string') this.visit(resolveReference(this.#root, $ref) ?? false, value, path, issues)
    if (type !== undefined && ![type].flat().some((each) => isOfType(value, each)))
      issues.add(path, `is ${shown(value)}; it must be of type ${[type].flat().join(' or ')}`)
    if (Array.isArray(choices) && !choices.some((each) => this.#equal(each, value)))
      issues.add(path, `is ${shown(value)}; it must be one of ${choices.slice(0, 10).map(shown).join(', ')}`)
    if (Object.hasOwn(schema, 'const') && !this.#equal(schema.const, value))
      issues.add(path, `is ${shown(value)}; it must be ${shown(schema.const)}`)
  }

  #text(schema: JsonObject, value: string, path: Path, issues: Issues): void {
    const { minLength, maxLength, format } = schema
    if (minLength !== undefined || maxLength !== undefined) {
      this.#budget.spend(value.length / 16)
      range([...value].length, minLength, maxLength, 'characters', path, issues)
    }
    if (typeof format !== 'string') return
    this.#budget.spend(value.length / 16)
    if (!FORMATS[format]?.(value)) issues.add(path, `is ${shown(value)}, which is no ${format}`)
  }

  #list(schema: JsonObject, value: readonly unknown[], path: Path, issues: Issues): void {
    const { prefixItems, items, contains } = schema
    range(value.length, schema.minItems, schema.maxItems, 'elements', path, issues)
    const first = Array.isArray(prefixItems) ? (prefixItems as Schema[]) : []
    for (const [index, each] of value.entries()) {
      const inner = index < first.length ? first[index] : (items as Schema | undefined)
      if (inner !== undefined) this.visit(inner, each, [...path, index], issues)
    }
    if (schema.uniqueItems === true) this.#unique(value, path, issues)
    if (contains !== undefined) this.#contains(schema, contains as Schema, value, path, issues)
  }

  #contains(schema: JsonObject, inner: Schema, value: readonly unknown[], path: Path, issues: Issues): void {
    const found = value.filter((each, index) => this.#fits(inner, each, [...path, index])).length
    range(
      found,
      schema.minContains ?? 1,
      schema.maxContains,
      'elements of the kind that `contains` asks for',
      path,
      issues,
    )
  }

  #unique(value: readonly unknown[], path: Path, issues: Issues): void {
    const seen = new Set<string>()
    for (const [index, each] of value.entries()) {
      const text = this.#canonical(each)
      if (seen.has(text)) issues.add([...path, index], 'is in the list already')
      seen.add(text)
    }
  }

  #object(schema: JsonObject, value: JsonObject, path: Path, issues: Issues): void {
    const { required, dependentRequired, minProperties, maxProperties } = schema
    for (const name of (required ?? []) as string[]) demand(value, name, path, issues)
    for (const [name, others] of Object.entries((dependentRequired ?? {}) as Record<string, string[]>))
      if (Object.hasOwn(value, name)) for (const other of others) demand(value, other, path, issues)
    if (!MEMBER_KEYWORDS.some((keyword) => schema[keyword] !== undefined)) return
    const names = Object.keys(value)
    // listing the names of a large object is what takes the time
    this.#budget.spend(names.length)
    range(names.length, minProperties, maxProperties, 'members', path, issues)
    if (PART_KEYWORDS.every((keyword) => schema[keyword] === undefined)) return
    for (const name of names) this.#member(schema, name, value[name], [...path, name], issues)
  }

  #member(schema: JsonObject, name: string, value: unknown, path: Path, issues: Issues): void {
    const { properties, additionalProperties, propertyNames } = schema
    const declared = isObject(properties) && Object.hasOwn(properties, name)
    const inner = declared ? properties[name] : additionalProperties
    if (inner !== undefined) this.visit(inner as Schema, value, path, issues)
    if (propertyNames !== undefined && !this.#fits(propertyNames as Schema, name, path))
      issues.add(path, 'has a name that is not allowed')
  }

  #combined(schema: JsonObject, value: unknown, path: Path, issues: Issues): void {
    const { allOf, anyOf, oneOf, not, if: condition } = schema
    for (const each of (allOf ?? []) as Schema[]) this.visit(each, value, path, issues)
    if (Array.isArray(anyOf) && !anyOf.some((each: Schema) => this.#fits(each, value, path)))
      issues.add(path, 'fits none of the schemas of anyOf')
    if (Array.isArray(oneOf)) {
      const count = oneOf.filter((each: Schema) => this.#fits(each, value, path)).length
      if (count !== 1) issues.add(path, `fits ${count} of the schemas of oneOf; it must be exactly one`)
    }
    if (not !== undefined && this.#fits(not as Schema, value, path)) issues.add(path, 'fits the schema of not')
    if (condition === undefined) return
    const branch = this.#fits(condition as Schema, value, path) ? schema.then : schema.else
    if (branch !== undefined) this.visit(branch as Schema, value, path, issues)
  }

  #equal(a: unknown, b: unknown): boolean {
    this.#budget.spend(0.1)
    if (a === b) return true
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
    return this.#canonical(a) === this.#canonical(b)
  }

  #canonical(value: unknown): string {
    const text = canonicalize(value) ?? ''
    this.#budget.spend(text.length / 16)
    return text
  }
}

/** Those that look at each member of an object, and those that need to know them. */
const PART_KEYWORDS = ['properties', 'additionalProperties', 'propertyNames']
const MEMBER_KEYWORDS = [...PART_KEYWORDS, 'minProperties', 'maxProperties']

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function number(schema: JsonObject, value: number, path: Path, issues: Issues): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const must = (holds: boolean, expected: string) => {
    if (!holds) issues.add(path, `is ${value}; it must be ${expected}`)
  }
  if (typeof minimum === 'number') must(value >= minimum, `${minimum} or more`)
  if (typeof maximum === 'number') must(value <= maximum, `${maximum} or less`)
  if (typeof exclusiveMinimum === 'number') must(value > exclusiveMinimum, `more than ${exclusiveMinimum}`)
  if (typeof exclusiveMaximum === 'number') must(value < exclusiveMaximum, `less than ${exclusiveMaximum}`)
  if (typeof multipleOf === 'number') must(isMultiple(value, multipleOf), `a multiple of ${multipleOf}`)
}

/** Within what a double can tell: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * Number.EPSILON
}

function range(size: number, min: unknown, max: unknown, what: string, path: Path, issues: Issues): void {
  if (typeof min === 'number' && size < min) issues.add(path, `has ${size} ${what}; it must have ${min} or more`)
  if (typeof max === 'number' && size > max) issues.add(path, `has ${size} ${what}; it must have ${max} or fewer`)
}

function demand(value: JsonObject, name: string, path: Path, issues: Issues): void {
  if (!Object.hasOwn(value, name)) issues.add([...path, name], 'is missing')
}
