import type { Sql } from 'postgres'
import type { UserTransaction } from '../client.ts'
import type { Statement } from '../statement.ts'

/** Runs statements of one transaction: the server's own, or the one that a handler writes through. */
export type StatementRunner = <Input, Row extends object>(
  statement: Statement<Input, Row>,
  input: Input,
) => Promise<Row[]>

export function runnerOf(tx: Pick<Sql, 'unsafe'>): StatementRunner {
  return (statement, input) => statement.run(tx, input)
}

export function userRunnerOf(tx: UserTransaction): StatementRunner {
  return async (statement, input) => [...(await tx.execute(statement.chunk(input)))] as never
}
