import type { ReservedSql, Sql, TransactionSql } from 'postgres'
import type { Database } from './client.ts'
import { isConnectionLoss } from './pg-errors.ts'

/**
 * What is known of a transaction's connection. postgres.js (3.4.9), when the connection breaks in a transaction, rejects at
 * once, and still says `rollback` on it when the work comes to its end: the process dies of that, or a transaction that has
 * the connection by then is rolled back. So what works on a broken connection never comes to its end for postgres.js.
 */
export class TransactionConnection {
  /** The database has rolled back by itself. */
  gone = false
  /** The work ended, and postgres.js commits or rolls back. */
  handedOver = false

  /** The work as postgres.js may see it. */
  shield<T>(work: Promise<T>): Promise<T> {
    return this.unlessGone(work, () => {
      this.handedOver = true
    })
  }

  /** The same for a transaction within this one: when it ends, the outer one goes on. */
  shieldNested<T>(work: Promise<T>): Promise<T> {
    return this.unlessGone(work, () => {})
  }

  private async unlessGone<T>(work: Promise<T>, handOver: () => void): Promise<T> {
    const [outcome] = await Promise.allSettled([work])
    if (this.gone) return new Promise(() => {})
    handOver()
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  }

  /**
   * Takes note of what a statement of the transaction failed with. Call it before anybody else can learn of the failure.
   * @param foreign errors that came from somewhere else: a handler's own "connection refused" says nothing of this one.
   */
  observe(statement: Promise<unknown>, foreign: ReadonlySet<unknown> = new Set()): void {
    statement.catch((error: unknown) => {
      if (isConnectionLoss(error) && !foreign.has(error)) this.gone = true
    })
  }
}

/** Runs `work` in a transaction of its own. */
export async function inTransaction<T>(sql: Sql, work: (tx: TransactionSql) => Promise<T>): Promise<T> {
  const connection = new TransactionConnection()
  const answer = await sql.begin((tx) => {
    const done = work(tx)
    connection.observe(done)
    return connection.shield(done)
  })
  return answer as T
}

/** What a pipelined transaction comes to: its answer, and the statements that it has sent last. */
export interface Pipelined<T> {
  readonly value: T
  /** Not awaited: the commit follows them in the same breath. */
  readonly sent: readonly Promise<unknown>[]
}

/**
 * A transaction that waits for the database as seldom as can be: `begin` goes out with the first statements of the work, and
 * `commit` with its last ones. Where one of those fails, the commit that follows it rolls back, and the failure is thrown.
 */
export async function inPipelinedTransaction<T>(
  sql: Sql,
  work: (tx: ReservedSql) => Promise<Pipelined<T>>,
): Promise<T> {
  const tx = await sql.reserve()
  let lost = false
  const sent = (statement: Promise<unknown>) => {
    // each is looked at below; none may go unhandled when an earlier one throws
    statement.catch((error: unknown) => {
      lost ||= isConnectionLoss(error)
    })
    return statement
  }
  let committing: Promise<unknown> | undefined
  try {
    const begun = sent(tx.unsafe('begin').execute())
    const { value, sent: last } = await sent(work(tx)).then((done) => done as Pipelined<T>)
    for (const statement of last) sent(statement)
    committing = sent(tx.unsafe('commit').execute())
    for (const statement of [begun, ...last, committing]) await statement
    return value
  } catch (error) {
    await (committing ?? tx.unsafe('rollback').execute()).catch(() => {})
    throw error
  } finally {
    // a connection that broke has gone back to the pool by itself
    if (!lost) tx.release()
  }
}

/** Stops the statement that a connection executes at the moment, if any. */
export async function cancelStatement(db: Database, pid: number): Promise<void> {
  await db.hot`select pg_cancel_backend(${pid})`
}
