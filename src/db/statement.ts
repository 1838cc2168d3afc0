import { type SQL, sql } from 'drizzle-orm'
import type { Sql } from 'postgres'

/** A statement that is prepared once for each connection, whatever its input. */
export interface Statement<Input, Row extends object> {
  /** Whether it changes anything. */
  readonly writes: boolean
  run(sql: Pick<Sql, 'unsafe'>, input: Input): Promise<Row[]>
  /** The same for a drizzle transaction. */
  chunk(input: Input): SQL
}

/** One whose whole input is JSON text: an array of rows, or one object. */
export type JsonStatement<Row extends object> = Statement<unknown, Row>

/**
 * A statement with one parameter: the names in SQL are the names of the members in TypeScript.
 * @param text SQL in which `:input` stands, once, for the JSON.
 */
export function jsonStatement<Row extends object>(text: string): JsonStatement<Row> {
  const [before, after, ...more] = text.split(/(?<!:):input\b/)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error('the statement must name :input exactly once')
  return statementOf([before, `::text::json${after}`], (input) => [JSON.stringify(input)])
}

/** @param parts SQL, between the parts of which the parameters stand, in their order. */
export function statementOf<Input, Row extends object>(
  parts: readonly string[],
  parametersOf: (input: Input) => (string | null)[],
): Statement<Input, Row> {
  const numbered = parts.reduce((all, part, i) => `${all}$${i}${part}`)
  return {
    writes: /\b(insert into|update|delete from) action_do\./.test(numbered),
    run: (client, input) => client.unsafe<Row[]>(numbered, parametersOf(input), { prepare: true }),
    chunk(input) {
      const parameters = parametersOf(input)
      return sql.join(parts.map((part, i) => (i === 0 ? sql.raw(part) : sql`${parameters[i - 1]}${sql.raw(part)}`)))
    },
  }
}
