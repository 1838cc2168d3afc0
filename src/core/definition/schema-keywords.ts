/** What the value of a keyword of JSON Schema must be. */
export type KeywordShape =
  | 'schema'
  | 'schemas'
  | 'schema map'
  | 'count'
  | 'number'
  | 'positive number'
  | 'flag'
  | 'texts'
  | 'texts map'
  | 'types'
  | 'values'
  | 'value'
  | 'text'
  | 'format'
  | 'reference'

/** The keywords of JSON Schema 2020-12 that definitions may use. */
export const KEYWORDS: Readonly<Record<string, KeywordShape>> = {
  $schema: 'text',
  $comment: 'text',
  $defs: 'schema map',
  definitions: 'schema map',
  $ref: 'reference',
  title: 'text',
  description: 'text',
  default: 'value',
  examples: 'values',
  deprecated: 'flag',
  readOnly: 'flag',
  writeOnly: 'flag',
  type: 'types',
  enum: 'values',
  const: 'value',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'positive number',
  minLength: 'count',
  maxLength: 'count',
  format: 'format',
  properties: 'schema map',
  required: 'texts',
  additionalProperties: 'schema',
  propertyNames: 'schema',
  minProperties: 'count',
  maxProperties: 'count',
  dependentRequired: 'texts map',
  items: 'schema',
  prefixItems: 'schemas',
  minItems: 'count',
  maxItems: 'count',
  uniqueItems: 'flag',
  contains: 'schema',
  minContains: 'count',
  maxContains: 'count',
  allOf: 'schemas',
  anyOf: 'schemas',
  oneOf: 'schemas',
  not: 'schema',
  if: 'schema',
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits this table
  then: 'schema',
  else: 'schema',
}

/** Those whose subschemas look at the value itself, not at a part of it. */
export const IN_PLACE: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'])

/** Why a keyword of JSON Schema is refused. */
export const REFUSED_KEYWORDS: Readonly<Record<string, string>> = {
  pattern: 'is not supported: a regular expression can run for ever. Use enum, format, minLength or maxLength',
  patternProperties: 'is not supported: a regular expression can run for ever. Use additionalProperties',
  $id: 'is not supported: a schema stands for itself here',
  $anchor: 'is not supported: refer to #/$defs/name',
  $dynamicRef: 'is not supported: refer to #/$defs/name',
  $dynamicAnchor: 'is not supported: refer to #/$defs/name',
  unevaluatedProperties: 'is not supported: use additionalProperties',
  unevaluatedItems: 'is not supported: use items',
}

export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const

/** The formats that are checked. Each takes time in proportion to the text. */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => DATE_TIME.test(text) && isDay(text.slice(0, 10)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
  email: (text) => text.length <= 320 && /^[^\s@.]+(\.[^\s@.]+)*@[^\s@.]+(\.[^\s@.]+)*$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  uri: (text) => text.length <= 8_192 && /^[a-z][a-z0-9+.-]*:[!#-;=?-[\]_a-z~]*$/i.test(text) && URL.canParse(text),
}

const DATE_TIME = /^\d{4}-\d\d-\d\dt([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i

/** JavaScript takes February 30 for March 2. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text
}
