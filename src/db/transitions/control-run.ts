import type { Sql, TransactionSql } from 'postgres'
import { bucketOf } from '../../core/ids.ts'
import type { RunStatus } from '../../core/status.ts'
import type { Database } from '../client.ts'
import { databaseFault } from '../pg-errors.ts'
import { RUN_COLUMNS, type RunRow } from '../rows.ts'
import { inTransaction } from '../transaction.ts'

/** A control mutation: who wants what of which run, and the key that names the intent. */
export interface Control {
  readonly id: string
  readonly kind: 'cancel' | 'retry'
  readonly key: string
  /** SHA-256 of what was asked for: the same key with another request is a mismatch. */
  readonly fingerprint: Buffer
  /** The states in which it is legal. */
  readonly legalFrom: readonly RunStatus[]
}

export type ControlOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'refused'; readonly status: RunStatus }
  | { readonly kind: 'not-found' }

const MAX_TRIES = 4

/**
 * Applies a control mutation once: the run's row is locked first, so that two operators who click at once, or one whose
 * answer was lost and who clicks again, take turns; the second finds the first one's key, or its state.
 * @param apply the one statement that changes the run.
 */
export async function controlRun(
  db: Database,
  control: Control,
  apply: (sql: ControlSql, run: RunRow) => Promise<unknown>,
): Promise<ControlOutcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await inTransaction(db.hot, (tx) => controlLocked(tx, control, apply))
    } catch (error) {
      if (databaseFault(error) !== 'conflict' || tries >= MAX_TRIES) throw error
    }
  }
}

async function controlLocked(
  tx: TransactionSql,
  { id, kind, key, fingerprint, legalFrom }: Control,
  apply: (sql: ControlSql, run: RunRow) => Promise<unknown>,
): Promise<ControlOutcome> {
  const bucket = bucketOf(id)
  const [run] = await tx.unsafe<RunRow[]>(
    `select ${RUN_COLUMNS} from action_do.runs r where r.bucket = $1 and r.id = $2 for no key update`,
    [bucket, id],
    { prepare: true },
  )
  if (!run) return { kind: 'not-found' }
  const [earlier] = await tx<{ fingerprint: Buffer }[]>`
    select fingerprint from action_do.commands c
    where c.bucket = ${bucket} and c.run_id = ${id} and c.kind = ${kind} and c.key = ${key}`
  if (earlier) return { kind: earlier.fingerprint.equals(fingerprint) ? 'replayed' : 'mismatch' }
  if (!legalFrom.includes(run.status)) return { kind: 'refused', status: run.status }
  await apply(tx, run)
  await tx`
    insert into action_do.commands (bucket, run_id, kind, key, fingerprint, outcome, at)
    values (${bucket}, ${id}, ${kind}, ${key}, ${fingerprint}, ${tx.json({ from: run.status })}, now())`
  return { kind: 'done' }
}

/** What a statement of a control mutation may be run on. */
export type ControlSql = Pick<Sql, 'unsafe'>
