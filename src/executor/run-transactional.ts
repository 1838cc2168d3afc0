import { setTimeout as sleep } from 'node:timers/promises'
import type { Decision } from '../core/outcome.ts'
import type { UserTransaction } from '../db/client.ts'
import { isTransient } from '../db/pg-errors.ts'
import { cancelStatement } from '../db/transaction.ts'
import { type EndedRow, endAttemptIn, endOf } from '../db/transitions/end-attempts.ts'
import type { Attempt } from './attempt.ts'
import type { HandlerContext } from './define-action.ts'
import { TransactionGuard } from './guard-transaction.ts'
import { encodeResult } from './result.ts'

/** The run went to another hand: the handler's writes are rolled back. */
export class Superseded extends Error {
  constructor() {
    super('The run went to another hand; the transaction is rolled back')
  }
}

const RETRY_MS = { first: 10, most: 1_000 }

/**
 * Executes a `transactional` handler: its writes, the attempt, the event and the run's new state commit together or not at
 * all. What the database itself rolls back (a deadlock, a serialization failure, a connection that broke) is executed again
 * here, within the same attempt. A commit whose answer was lost is safe to repeat: if it stood, the guard finds the run ended.
 */
export async function runInTransaction(
  attempt: Attempt,
  context: HandlerContext<unknown>,
  decideEnd: (result: string) => Promise<Decision>,
): Promise<{ row: EndedRow; decision: Decision }> {
  for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
    let inHandler = false
    const guard = new TransactionGuard((pid) => cancelStatement(attempt.db, pid))
    let end: RecordedEnd | undefined
    try {
      const recorded = await inTransaction(attempt, guard, async (tx) => {
        inHandler = true
        const returned = await attempt.abort.race(() => attempt.action.run({ ...context, tx }))
        inHandler = false
        const result = await encodeResult(attempt.action, returned, attempt.options.maxResultBytes)
        const decision = await decideEnd(result)
        end = await recordEnd(tx, attempt, decision)
        if (!end.row) throw new Superseded()
        return { row: end.row, decision }
      })
      end?.committed()
      return recorded
    } catch (error) {
      end?.abandon()
      // A handler's own "connection refused" is its failure; only what came from this database is repeated here.
      const handlersOwn = inHandler && guard.connection.handedOver && !isOfDatabase(error)
      if (attempt.abort.reason || !isTransient(error) || handlersOwn) throw error
      await attempt.abort.race(() => sleep(delayMs))
    }
  }
}

/** What was written of an attempt's end, and what to do once the transaction is over. */
interface RecordedEnd {
  readonly row: EndedRow | undefined
  committed(): void
  abandon(): void
}

/** A step's end lets its workflow go on, in the same commit. */
async function recordEnd(tx: UserTransaction, attempt: Attempt, decision: Decision): Promise<RecordedEnd> {
  const { run, workflows, yieldSlot } = attempt
  if (run.parentId !== null) {
    const { outcome, committed, abandon } = await workflows.endAttemptIn(tx, run, decision, yieldSlot)
    return { row: outcome.kind === 'applied' ? outcome.value : undefined, committed, abandon }
  }
  const row = await endAttemptIn(tx, endOf(run, decision), endTime(attempt))
  return { row, committed() {}, abandon() {} }
}

async function inTransaction<T>(
  { db }: Attempt,
  guard: TransactionGuard,
  work: (tx: UserTransaction) => Promise<T>,
): Promise<T> {
  const { connection } = guard
  try {
    return await db.user.transaction((tx) => connection.shield(work(guard.guard(tx)).finally(() => guard.end())))
  } finally {
    // the work is still under way only where the connection broke
    connection.gone ||= !connection.handedOver
    await guard.end()
  }
}

/** drizzle wraps what a query threw; postgres.js names what the server said. */
function isOfDatabase(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if (e.constructor.name === 'DrizzleQueryError' || e.name === 'PostgresError') return true
  return false
}

/** `now()` would be when the transaction began; and no attempt ends before it started. */
function endTime({ db, run }: Attempt): Date {
  return new Date(Math.max(db.clock.nowMs(), run.attemptStartedAt?.getTime() ?? 0))
}
