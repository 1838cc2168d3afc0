import { GraphQLError, Kind, type ValueNode } from 'graphql'
import { builder } from './builder.ts'

builder.scalarType('JSON', {
  description: 'Any JSON value. Numbers are IEEE 754 doubles, as in RFC 8785.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => literal(node, variables ?? {}, 0),
})

builder.scalarType('DateTime', {
  description:
    'A moment, as RFC 3339 with milliseconds in UTC: 2026-01-31T12:00:00.000Z. Any offset is accepted as input.',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseMoment,
  parseLiteral: (node) => {
    if (node.kind !== Kind.STRING) throw badInput('DateTime must be a string like 2026-01-31T12:00:00Z')
    return parseMoment(node.value)
  },
})

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

function parseMoment(value: unknown): Date {
  const moment = typeof value === 'string' && RFC_3339.test(value) ? new Date(value) : undefined
  if (!moment || Number.isNaN(moment.getTime()))
    throw badInput('DateTime must be a moment with an offset, like 2026-01-31T12:00:00Z')
  return moment
}

/** The parser bounds the tokens of a document, not its depth; deeper values are refused where params are checked. */
const MAX_LITERAL_DEPTH = 500

function literal(node: ValueNode, variables: Record<string, unknown>, depth: number): unknown {
  if (depth > MAX_LITERAL_DEPTH) throw badInput('A JSON value is nested too deep')
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
      return node.values.map((value) => literal(value, variables, depth + 1))
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literal(value, variables, depth + 1)]),
      )
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null
  }
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
