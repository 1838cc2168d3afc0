import type { Sql } from 'postgres'

/** What executes single statements. */
export type StatementClient = Pick<Sql, 'unsafe'>

/**
 * Executes a statement over the first of these connections that has nothing to do, else over the others. postgres.js gives its
 * connections work in turn, so that a lone caller would find another backend for each statement, whose caches have cooled: a step
 * of a workflow took a sixth longer. A connection that never answers is passed over.
 */
export function preferring(warm: readonly StatementClient[], others: StatementClient): StatementClient {
  const busy = new Set<StatementClient>()
  const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
    const idle = warm.find((client) => !busy.has(client))
    if (!idle) return others.unsafe(text, parameters, options)
    busy.add(idle)
    const statement = idle.unsafe(text, parameters, options)
    const done = () => void busy.delete(idle)
    statement.then(done, done)
    return statement as never
  }
  return { unsafe }
}

/** A statement that was in hand when its connection ended is given up after this time: it should have failed at once. */
const ECHO_MS = 50

/**
 * The statements that a connection has in hand. postgres.js (3.4.9) forgets one that it is given between the connection's reset and its
 * end: it would never be answered, nor its connection be used again.
 */
export class StatementsInHand {
  private readonly given = new Set<(error: Error) => void>()

  /** The same client; what it does not answer fails once it is `lost`. */
  over(client: StatementClient): StatementClient {
    const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
      const statement = client.unsafe(text, parameters, options)
      return new Promise((resolve, reject) => {
        this.given.add(reject)
        statement.then(resolve, reject).finally(() => this.given.delete(reject))
      }) as never
    }
    return { unsafe }
  }

  /** The connection has ended. What is given to the client from now on waits for the next. */
  lost(): void {
    const before = [...this.given]
    if (before.length === 0) return
    const giveUp = () => {
      const error = Object.assign(new Error('The connection ended, and the statement was lost'), {
        code: 'CONNECTION_CLOSED',
      })
      for (const reject of before) if (this.given.delete(reject)) reject(error)
    }
    setTimeout(giveUp, ECHO_MS).unref()
  }
}
