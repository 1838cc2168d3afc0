import type { Sql, TransactionSql } from 'postgres'
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
  private reject: (error: Error) => void = () => {}
  private readonly broken = handled(
    new Promise<never>((_, reject) => {
      this.reject = reject
    }),
  )

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
      if (isConnectionLoss(error) && !foreign.has(error)) this.lose()
    })
  }

  /**
   * The transaction for those who send statements before they look at the outcome of others. On a connection that broke,
   * postgres.js (3.4.9) ends the process over a statement, or never answers those that it has not sent yet.
   */
  guard(tx: TransactionSql): Pick<Sql, 'unsafe'> {
    const unsafe: TransactionSql['unsafe'] = (text, args, options) => {
      if (this.gone) return handled(Promise.reject(lost())) as never
      const statement = tx.unsafe(text, args, options).execute()
      this.observe(statement)
      return handled(Promise.race([statement, this.broken])) as never
    }
    return { unsafe }
  }

  /** The transaction is over for want of a connection. */
  lose(): void {
    this.gone = true
    this.reject(lost())
  }
}

/** Looked at later: none may go unhandled when an earlier one throws. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function lost(): Error {
  return Object.assign(new Error('The connection to the database broke'), { code: 'CONNECTION_CLOSED' })
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
 * A transaction that waits for the database as seldom as can be: `commit` goes out with the last statements of the work. Where
 * one of those fails, the commit that follows it rolls back, and the failure is thrown.
 */
export async function inPipelinedTransaction<T>(
  sql: Sql,
  work: (tx: Pick<Sql, 'unsafe'>) => Promise<Pipelined<T>>,
): Promise<T> {
  const connection = new TransactionConnection()
  let done: Promise<Pipelined<T>> | undefined
  const committed = sql.begin((tx) => {
    done = work(connection.guard(tx))
    done.then(({ sent }) => sent.forEach(handled)).catch(() => {})
    // it does not wait for what is in an object: the commit follows the statements that were sent
    return connection.shield(done)
  })
  try {
    const { value, sent } = (await committed) as Pipelined<T>
    await Promise.all(sent)
    return value
  } catch (error) {
    connection.lose()
    // whoever cleans up after the work finds it at its end
    await Promise.allSettled([done])
    throw error
  }
}

/** Stops the statement that a connection executes at the moment, if any. */
export async function cancelStatement(db: Database, pid: number): Promise<void> {
  await db.hot`select pg_cancel_backend(${pid})`
}
