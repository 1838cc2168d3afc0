import type { StoredAnswer } from './answer.ts'
import type { AnswerStore, Kept, Work } from './store.ts'

/** The service's own client of Postgres, whatever its driver. */
export interface PostgresAccess<Tx> {
  /** Runs `work` in a transaction: commits where it resolves, rolls back where it rejects. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Runs a statement with `$1`, `$2`, … in the transaction, and answers with its rows. */
  query(tx: Tx, text: string, values: readonly (string | number)[]): Promise<readonly Record<string, unknown>[]>
}

/** The table of answers. Have it made by your migrations, or let `setUp()` do it. */
export const ANSWERS_TABLE = `create table if not exists action_answers (
  key text primary key,
  fingerprint text not null,
  status int not null,
  body text not null,
  answered_at timestamptz not null default now()
)`

export interface PostgresStore<Tx> extends AnswerStore<Tx> {
  /** Makes the table where there is none. */
  setUp(): Promise<void>
  /** Forgets answers that are older; an hour more than calls may be repeated is enough. */
  forget(olderThanMs: number): Promise<void>
}

/**
 * Keeps answers in the service's own database, in the transaction of the effect: what the function writes through `tx` and the
 * answer are there together or not at all. So a service that is killed in the middle, or whose answer is lost, has its effect once.
 */
export function postgresStore<Tx>({ transaction, query }: PostgresAccess<Tx>): PostgresStore<Tx> {
  return {
    once: (key, fingerprint, work) =>
      transaction(async (tx): Promise<Kept> => {
        // held until the transaction ends; waiting for it would take a connection for each repetition
        const [lock] = await query(tx, 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free', [key])
        if (lock?.free !== true) return { kind: 'busy' }
        const [row] = await query(tx, 'select fingerprint, status, body from action_answers where key = $1', [key])
        if (row && row.fingerprint !== fingerprint) return { kind: 'mismatch' }
        if (row) return { kind: 'answer', answer: rowToAnswer(row), replayed: true }
        const answer = await settle(tx, work, (text) => query(tx, text, []))
        const insert = 'insert into action_answers (key, fingerprint, status, body) values ($1, $2, $3, $4)'
        await query(tx, insert, [key, fingerprint, answer.status, answer.body])
        return { kind: 'answer', answer, replayed: false }
      }),
    setUp: () =>
      transaction(async (tx) => {
        // two that begin at once would both find no table
        await query(tx, "select pg_advisory_xact_lock(hashtext('action_answers'))", [])
        await query(tx, ANSWERS_TABLE, [])
      }),
    forget: (olderThanMs) =>
      transaction(async (tx) => {
        const text = 'delete from action_answers where answered_at < now() - make_interval(secs => $1::float8 / 1000)'
        await query(tx, text, [olderThanMs])
      }),
  }
}

/** A permanent failure leaves its answer, and nothing of what it wrote before. */
async function settle<Tx>(
  tx: Tx,
  work: Work<Tx>,
  statement: (text: string) => Promise<unknown>,
): Promise<StoredAnswer> {
  await statement('savepoint effect')
  try {
    return await work(tx)
  } catch (thrown) {
    const answer = work.permanent(thrown)
    if (!answer) throw thrown
    await statement('rollback to savepoint effect')
    return answer
  }
}

function rowToAnswer({ status, body }: Record<string, unknown>): StoredAnswer {
  return { status: Number(status), body: String(body) }
}
