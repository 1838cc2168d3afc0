import { type SQL, sql } from 'drizzle-orm'
import type { Sql } from 'postgres'

/**
 * A statement whose whole input is JSON text: an array of rows, or one object. So a batch of any size is one parameter
 * and one prepared plan, and the names in SQL are the names of the members in TypeScript.
 */
export interface JsonStatement<Row extends object> {
  run(sql: Pick<Sql, 'unsafe'>, input: unknown): Promise<Row[]>
  /** The same for a drizzle transaction. */
  chunk(input: unknown): SQL
}

/** @param text SQL in which `:input` stands, once, for the JSON. */
export function jsonStatement<Row extends object>(text: string): JsonStatement<Row> {
  return statementWith<Row>(text, ['input'], (input) => [JSON.stringify(input)])
}

/**
 * The same where each member of the input is a parameter of its own: Postgres reads text that is within other text twice, which
 * for a batch of 200 wide rows is a millisecond.
 * @param text SQL in which `:member` stands, once, for each member.
 */
export function jsonStatementOf<Input extends object, Row extends object>(
  text: string,
  members: readonly (keyof Input & string)[],
): JsonStatement<Row> {
  return statementWith<Row>(text, members, (input) =>
    members.map((member) => JSON.stringify((input as Record<string, unknown>)[member])),
  )
}

function statementWith<Row extends object>(
  text: string,
  names: readonly string[],
  parametersOf: (input: unknown) => string[],
): JsonStatement<Row> {
  // a colon of a cast is none of a name
  const parts = text.split(new RegExp(`(?<!:):(${names.join('|')})\\b`))
  const named = parts.filter((_, i) => i % 2 === 1)
  if (named.length !== names.length || new Set(named).size !== names.length)
    throw new Error(`the statement must name each of ${names.join(', ')} exactly once`)
  const numbered = parts.map((part, i) => (i % 2 === 1 ? `$${names.indexOf(part) + 1}::text::json` : part)).join('')
  return {
    run: (client, input) => client.unsafe<Row[]>(numbered, parametersOf(input), { prepare: true }),
    chunk(input) {
      const parameters = parametersOf(input)
      const chunks = parts.map((part, i) =>
        i % 2 === 1 ? sql`${parameters[names.indexOf(part)]}::text::json` : sql.raw(part),
      )
      return sql.join(chunks)
    },
  }
}

/** The types of a batch's columns, by the names that SQL and TypeScript share. */
export type BatchColumns<Item extends object> = { readonly [Member in keyof Item & string]: string }

/**
 * A statement over many rows, each column of which is one array: Postgres reads arrays in half the time of JSON, and a batch of
 * any size is the same prepared plan. JSON texts are columns of type `text`, for SQL to cast.
 * @param text SQL in which `:rows` stands, once, for the batch; aliased and with its columns named.
 */
export function batchStatement<Item extends object, Row extends object>(
  text: string,
  columns: BatchColumns<Item>,
): BatchStatement<Item, Row> {
  const members = Object.keys(columns) as (keyof Item & string)[]
  const names = members.map((member) => `"${member}"`).join(', ')
  const [before, after, ...more] = text.split(':rows')
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error('the statement must name :rows exactly once')
  const arrays = members.map((member, i) => `$${i + 1}::${columns[member]}[]`).join(', ')
  const numbered = `${before}unnest(${arrays}) as i(${names})${after}`
  const parametersOf = (rows: readonly Item[]) =>
    members.map((member) => arrayText(rows.map((row) => row[member] as ArrayElement)))
  return {
    run: (client, rows) => client.unsafe<Row[]>(numbered, parametersOf(rows), { prepare: true }),
    chunk(rows) {
      const parameters = parametersOf(rows).map((value, i) => sql`${value}::${sql.raw(columns[members[i]!])}[]`)
      return sql`${sql.raw(before)}unnest(${sql.join(parameters, sql.raw(', '))}) as i(${sql.raw(names)})${sql.raw(after)}`
    },
  }
}

export interface BatchStatement<Item extends object, Row extends object> {
  run(sql: Pick<Sql, 'unsafe'>, rows: readonly Item[]): Promise<Row[]>
  /** The same for a drizzle transaction. */
  chunk(rows: readonly Item[]): SQL
}

type ArrayElement = string | number | boolean | Date | null

/** The text of a Postgres array. */
export function arrayText(elements: readonly ArrayElement[]): string {
  let text = '{'
  for (let i = 0; i < elements.length; i++) {
    if (i > 0) text += ','
    text += elementText(elements[i] ?? null)
  }
  return `${text}}`
}

const TO_ESCAPE = /["\\]/g

function elementText(element: ArrayElement): string | number | boolean {
  if (element === null) return 'NULL'
  if (typeof element === 'string') return `"${element.replace(TO_ESCAPE, '\\$&')}"`
  return element instanceof Date ? `"${element.toISOString()}"` : element
}
