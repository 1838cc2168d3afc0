import { Kind, type ValueNode } from 'graphql'
import { builder } from './builder.ts'
import { badInput } from './malformed.ts'

builder.scalarType('JSON', {
  description: 'Any JSON value. Numbers are IEEE 754 doubles, as in RFC 8785.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => literal(node, variables ?? {}),
})

builder.scalarType('DateTime', {
  description:
    'A moment, as RFC 3339 with milliseconds in UTC: 2026-01-31T12:00:00.000Z. Any offset is accepted as input.',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseMoment,
  parseLiteral: (node) => {
    const moment = node.kind === Kind.STRING ? momentIn(node.value) : undefined
    if (!moment) throw badInput(NO_MOMENT, {}, node)
    return moment
  },
})

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

const NO_MOMENT = 'DateTime must be a moment with an offset, like "2026-01-31T12:00:00Z"'

function parseMoment(value: unknown): Date {
  const moment = typeof value === 'string' ? momentIn(value) : undefined
  if (!moment) throw badInput(NO_MOMENT)
  return moment
}

function momentIn(text: string): Date | undefined {
  const [, day] = RFC_3339.exec(text) ?? []
  const moment = new Date(day === undefined ? Number.NaN : text)
  return isDay(day) && isStorable(moment) ? moment : undefined
}

/** `Date` takes February 30 for March 2. */
function isDay(day: string | undefined): boolean {
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(`${day}T`)
}

/** In the years 1 to 9999, which Postgres reads as `Date` writes them. */
function isStorable(moment: Date): boolean {
  const year = moment.getUTCFullYear()
  return year >= 1 && year <= 9999
}

/** The depth of a document is bounded before it is parsed. */
function literal(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value
    case Kind.LIST:
      return node.values.map((value) => literal(value, variables))
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, literal(value, variables)]))
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null
  }
}
