import { isObject, type JsonObject } from '../definition/members.ts'
import { FORMATS, KEYWORDS } from '../definition/schema-keywords.ts'

/** Keywords under which a looser subschema would refuse more, or something else: they go where it loses anything. */
const CONTRARY: ReadonlySet<string> = new Set(['not', 'if', 'then', 'else', 'oneOf', 'contains'])

/**
 * What this server can check of a worker's JSON Schema: regular expressions, unknown formats and keywords are left out, and whatever
 * would mean something else without them. It accepts all that the whole one accepts, and more: the worker checks the rest.
 */
export function relaxSchema(schema: JsonObject): JsonObject {
  return relaxed(schema).schema as JsonObject
}

interface Relaxed {
  readonly schema: unknown
  readonly lost: boolean
}

function relaxed(schema: unknown): Relaxed {
  if (!isObject(schema)) return { schema, lost: false }
  const kept: [string, unknown][] = []
  let lost = false
  for (const [keyword, value] of Object.entries(schema)) {
    const inner = keep(keyword, value, schema)
    if (inner && !(inner.lost && CONTRARY.has(keyword))) kept.push([keyword, inner.schema])
    lost ||= !inner || inner.lost
  }
  return { schema: Object.fromEntries(kept), lost }
}

/** `undefined` for what cannot be checked. */
function keep(keyword: string, value: unknown, around: JsonObject): Relaxed | undefined {
  const shape = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined
  if (shape === undefined || (shape === 'format' && !Object.hasOwn(FORMATS, String(value)))) return undefined
  // without the patterns it would refuse what they let in
  if (keyword === 'additionalProperties' && Object.hasOwn(around, 'patternProperties')) return undefined
  if (shape === 'schema') return relaxed(value)
  if (shape === 'schemas' && Array.isArray(value)) {
    const each = value.map(relaxed)
    return { schema: each.map(({ schema }) => schema), lost: each.some(({ lost }) => lost) }
  }
  if (shape !== 'schema map' || !isObject(value)) return { schema: value, lost: false }
  const each = Object.entries(value).map(([name, inner]) => [name, relaxed(inner)] as const)
  return {
    schema: Object.fromEntries(each.map(([name, { schema }]) => [name, schema])),
    // what a reference loses is lost where it is referred to: nobody knows where that is
    lost: each.some(([, { lost }]) => lost),
  }
}
