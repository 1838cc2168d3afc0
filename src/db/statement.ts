import { type SQL, sql } from 'drizzle-orm'
import type { Sql } from 'postgres'

/**
 * A statement whose whole input is one JSON text: an array of rows, or one object. So a batch of any size is one parameter
 * and one prepared plan, and the names in SQL are the names of the members in TypeScript.
 */
export interface JsonStatement<Row extends object> {
  run(sql: Pick<Sql, 'unsafe'>, input: unknown): Promise<Row[]>
  /** The same for a drizzle transaction. */
  chunk(input: unknown): SQL
}

/** @param text SQL in which `:input` stands, once, for the JSON. */
export function jsonStatement<Row extends object>(text: string): JsonStatement<Row> {
  const [before, after, more] = text.split(':input')
  if (before === undefined || after === undefined || more !== undefined)
    throw new Error('a JSON statement names :input exactly once')
  const numbered = `${before}$1::text::json${after}`
  return {
    run: (client, input) => client.unsafe<Row[]>(numbered, [JSON.stringify(input)], { prepare: true }),
    chunk: (input) => sql`${sql.raw(before)}${JSON.stringify(input)}::text::json${sql.raw(after)}`,
  }
}
