import { byteLength } from '../json.ts'
import { type Issues, type Path, shown } from './issues.ts'
import { MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, MAX_SUBSCHEMAS } from './limits.ts'
import { isObject, type JsonObject } from './members.ts'
import { FORMATS, IN_PLACE, KEYWORDS, type KeywordShape, REFUSED_KEYWORDS, TYPES } from './schema-keywords.ts'

/** A JSON Schema: true and false accept everything and nothing. */
export type Schema = boolean | JsonObject

/** Only inside of the schema itself: what is elsewhere is never fetched. */
const REFERENCE = /^#(\/(\$defs|definitions)\/[A-Za-z0-9_.-]+)?$/

/** Checks a stranger's JSON Schema before it is ever used; notes what is wrong and what is refused. */
export function acceptSchema(value: unknown, path: Path, issues: Issues): value is Schema {
  if (issues.full) return false
  if (!isSchema(value)) {
    issues.add(path, `is ${shown(value)}; it must be a JSON Schema, which is an object`)
    return false
  }
  const bytes = byteLength(JSON.stringify(value))
  if (bytes > MAX_SCHEMA_BYTES) {
    issues.add(path, `takes ${bytes} bytes; a JSON Schema may take ${MAX_SCHEMA_BYTES}`)
    return false
  }
  const before = issues.list.length
  const acceptance = new Acceptance(value, issues)
  acceptance.visit(value, path, 0)
  if (issues.list.length === before) acceptance.refuseLoops(path)
  return issues.list.length === before
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'boolean' || isObject(value)
}

/** The subschema that a `$ref` means. */
export function resolveReference(root: Schema, reference: string): Schema | undefined {
  if (reference === '#') return root
  const [, group, name] = reference.split('/')
  const found = own(own(root, group ?? ''), name ?? '')
  return isSchema(found) ? found : undefined
}

function own(value: unknown, member: string): unknown {
  return isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined
}

class Acceptance {
  readonly #root: Schema
  readonly #issues: Issues
  /** From each subschema to those that look at the same value. */
  readonly #inPlace = new Map<Schema, Schema[]>()
  #count = 0

  constructor(root: Schema, issues: Issues) {
    this.#root = root
    this.#issues = issues
  }

  visit(schema: Schema, path: Path, depth: number): void {
    if (++this.#count === MAX_SUBSCHEMAS + 1) this.#issues.add(path, `is over the ${MAX_SUBSCHEMAS} subschemas allowed`)
    if (depth > MAX_SCHEMA_DEPTH) this.#issues.add(path, `is nested deeper than ${MAX_SCHEMA_DEPTH} levels`)
    if (typeof schema === 'boolean' || this.#count > MAX_SUBSCHEMAS || depth > MAX_SCHEMA_DEPTH) return
    for (const [keyword, value] of Object.entries(schema)) {
      const shape = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined
      if (!shape) this.#issues.add([...path, keyword], refusalOf(keyword))
      else if (shape.startsWith('schema')) this.#subschemas(schema, keyword, value, [...path, keyword], depth)
      else this.#scalar(shape, schema, value, [...path, keyword])
    }
  }

  #subschemas(parent: Schema, keyword: string, value: unknown, path: Path, depth: number): void {
    const shape = KEYWORDS[keyword]
    const fits = shape === 'schemas' ? Array.isArray(value) && value.length > 0 : isObject(value) || isSchema(value)
    if (!fits || (shape === 'schema map' && !isObject(value))) {
      this.#misfit(shape!, value, path)
      return
    }
    const inner: [Path, unknown][] =
      shape === 'schema'
        ? [[path, value]]
        : Object.entries(value as object).map(([name, each]) => [[...path, name], each])
    for (const [at, schema] of inner) {
      if (!isSchema(schema)) this.#issues.add(at, `is ${shown(schema)}; it must be a JSON Schema`)
      else {
        if (IN_PLACE.has(keyword)) this.#looksAtTheSame(parent, schema)
        this.visit(schema, at, depth + 1)
      }
    }
  }

  #scalar(shape: KeywordShape, schema: Schema, value: unknown, path: Path): void {
    if (!FITS[shape](value)) this.#misfit(shape, value, path)
    else if (shape === 'reference') {
      const target = resolveReference(this.#root, value as string)
      if (target === undefined) this.#issues.add(path, `refers to ${shown(value)}, which there is not`)
      else this.#looksAtTheSame(schema, target)
    }
  }

  #misfit(shape: KeywordShape, value: unknown, path: Path): void {
    this.#issues.add(path, `is ${shown(value)}; it must be ${EXPECTED[shape]}`)
  }

  #looksAtTheSame(schema: Schema, other: Schema): void {
    this.#inPlace.set(schema, [...(this.#inPlace.get(schema) ?? []), other])
  }

  /** A schema that comes back to itself without going into the value would never end. */
  refuseLoops(path: Path): void {
    const ended = new Set<Schema>()
    const under = new Set<Schema>()
    const loops = (schema: Schema): boolean => {
      if (typeof schema === 'boolean' || ended.has(schema)) return false
      if (under.has(schema)) return true
      under.add(schema)
      const found = (this.#inPlace.get(schema) ?? []).some(loops)
      under.delete(schema)
      ended.add(schema)
      return found
    }
    if ([...this.#inPlace.keys()].some(loops)) this.#issues.add(path, 'refers to itself in a circle')
  }
}

function refusalOf(keyword: string): string {
  return Object.hasOwn(REFUSED_KEYWORDS, keyword) ? REFUSED_KEYWORDS[keyword]! : 'is no keyword that is supported here'
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isType = (value: unknown): boolean => TYPES.some((type) => type === value)

const FITS: Record<KeywordShape, (value: unknown) => boolean> = {
  schema: isSchema,
  schemas: Array.isArray,
  'schema map': isObject,
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  number: isNumber,
  'positive number': (value) => isNumber(value) && value > 0,
  flag: (value) => typeof value === 'boolean',
  texts: isTexts,
  'texts map': (value) => isObject(value) && Object.values(value).every(isTexts),
  types: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
  values: (value) => Array.isArray(value) && value.length > 0,
  value: () => true,
  text: isText,
  format: (value) => isText(value) && Object.hasOwn(FORMATS, value),
  reference: (value) => isText(value) && REFERENCE.test(value),
}

const EXPECTED: Record<KeywordShape, string> = {
  schema: 'a JSON Schema',
  schemas: 'a list of JSON Schemas',
  'schema map': 'an object of JSON Schemas',
  count: 'a whole number of 0 or more',
  number: 'a number',
  'positive number': 'a number over 0',
  flag: 'true or false',
  texts: 'a list of texts',
  'texts map': 'an object of lists of texts',
  types: `one or several of ${TYPES.join(', ')}`,
  values: 'a list that is not empty',
  value: 'any value',
  text: 'a text',
  format: `one of ${Object.keys(FORMATS).join(', ')}`,
  reference: '# or #/$defs/ and a name: nothing outside is fetched',
}
