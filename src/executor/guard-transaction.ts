import type { UserTransaction } from '../db/client.ts'
import { TransactionConnection } from '../db/transaction.ts'

/** A handler used its transaction after the attempt had ended. */
class TransactionEndedError extends Error {
  constructor() {
    super('ctx.tx was used after the attempt had ended: its transaction is rolled back')
  }
}

/** What postgres.js tells of a statement. */
interface Statement extends Promise<unknown> {
  readonly active?: boolean
  readonly state?: { readonly pid: number } | null
}

/**
 * Stands between a handler and its transaction, and shuts it out once the attempt has ended. A handler that is cut by its
 * timeout goes on running, and its connection goes back to the pool: without this, a late query would run there, outside of
 * any transaction, and commit.
 */
export class TransactionGuard {
  readonly connection = new TransactionConnection()
  private ended = false
  private readonly statements = new Set<Statement>()
  private readonly cancel: (pid: number) => Promise<void>

  /** @param cancel stops what a connection executes, by the id of its server process. */
  constructor(cancel: (pid: number) => Promise<void>) {
    this.cancel = cancel
  }

  guard(tx: UserTransaction): UserTransaction {
    const session = Reflect.get(tx, 'session') as { client?: object } | undefined
    if (!session?.client) throw new Error("drizzle's transaction has no session.client: this version is not supported")
    session.client = this.guardClient(session.client)
    return tx
  }

  /** Shuts the handler out. A statement of its that is still under way, perhaps waiting for a lock, is stopped. */
  async end(): Promise<void> {
    this.ended = true
    const [underWay] = [...this.statements].filter(({ active }) => active)
    if (underWay?.state && !this.connection.gone) await this.cancel(underWay.state.pid).catch(() => {})
  }

  /** postgres.js's client of one transaction: `unsafe` runs a query, `savepoint` opens a nested one. */
  private guardClient<C extends object>(client: C): C {
    return new Proxy(client, {
      get: (target, member, receiver) => {
        const value: unknown = Reflect.get(target, member, receiver)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (this.ended || this.connection.gone) throw new TransactionEndedError()
          const thrown = new Set<unknown>()
          const guarded = member === 'savepoint' ? args.map((arg) => this.guardCallback(arg, thrown)) : args
          const answer: unknown = Reflect.apply(value, target, guarded)
          if (answer instanceof Promise) this.watch(answer, thrown)
          return answer
        }
      },
    })
  }

  /** @param thrown takes what the callback itself threw. */
  private guardCallback(arg: unknown, thrown: Set<unknown>): unknown {
    if (typeof arg !== 'function') return arg
    const guarded = async (client: object) => arg(this.guardClient(client))
    return (client: object) =>
      this.connection.shieldNested(
        guarded(client).catch((error: unknown) => {
          thrown.add(error)
          throw error
        }),
      )
  }

  private watch(statement: Statement, foreign: ReadonlySet<unknown>): void {
    this.connection.observe(statement, foreign)
    this.statements.add(statement)
    const done = () => this.statements.delete(statement)
    statement.then(done, done)
  }
}
