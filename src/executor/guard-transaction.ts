import type { UserTransaction } from '../db/client.ts'

/** A handler used its transaction after the attempt had ended. */
class TransactionEndedError extends Error {
  constructor() {
    super('ctx.tx was used after the attempt had ended: its transaction is rolled back')
  }
}

/**
 * Shuts a handler out of its transaction once `ended()` says so. A handler that is cut by its timeout goes on running, and
 * its connection goes back to the pool: without this, a late query would run there, outside of any transaction, and commit.
 */
export function guardTransaction(tx: UserTransaction, ended: () => boolean): UserTransaction {
  const session = Reflect.get(tx, 'session') as { client?: object } | undefined
  if (!session?.client) throw new Error("drizzle's transaction has no session.client: this version is not supported")
  session.client = guardClient(session.client, ended)
  return tx
}

/** postgres.js's client of one transaction: `unsafe` runs a query, `savepoint` opens a nested one. */
function guardClient<C extends object>(client: C, ended: () => boolean): C {
  return new Proxy(client, {
    get(target, member, receiver) {
      const value: unknown = Reflect.get(target, member, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (ended()) throw new TransactionEndedError()
        const guarded = member === 'savepoint' ? args.map((arg) => guardCallback(arg, ended)) : args
        return Reflect.apply(value, target, guarded)
      }
    },
  })
}

function guardCallback(arg: unknown, ended: () => boolean): unknown {
  return typeof arg === 'function' ? (client: object) => arg(guardClient(client, ended)) : arg
}
