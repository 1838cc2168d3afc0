import { batchStatement, type Columns, columnOf } from '../batch-statement.ts'
import type { EventPack } from '../event-packs.ts'
import { hold } from '../holds.ts'
import { hasLease } from '../leases.ts'
import type { NewRoot } from './insert-roots.ts'
import type { StatementRunner } from './statement-runner.ts'
import { TREE_INSERT_COLUMNS, TREE_INSERTED, treeInsertValues } from './tree-columns.ts'
import type { TreeRow } from './tree-row.ts'
import { conflictOr, EVENTS, INSERT_EVENTS, insertRuns } from './write-trees.ts'

/** A root as it is after its first commit. */
interface CreatedRoot {
  readonly row: TreeRow
  readonly made: NewRoot
  /** The worker that is given steps of it, which it is only under a lease. */
  readonly givenTo: string | null
  readonly offsetMs: number
}

/** Trees as they are after their first commit. */
export interface NewTrees {
  /** In the order of (bucket, id). */
  readonly roots: readonly CreatedRoot[]
  readonly steps: readonly TreeRow[]
  readonly events: readonly EventPack[]
}

const ROOTS: Columns<CreatedRoot> = {
  ...Object.fromEntries(
    Object.entries(TREE_INSERTED).map(([member, column]) => {
      const { type, of } = columnOf(member, column)
      return [member, [type, ({ row }: CreatedRoot) => of(row)]]
    }),
  ),
  idempotencyKey: ['text', ({ made }) => made.idempotencyKey],
  fingerprint: ['text', ({ made }) => made.fingerprint],
  givenTo: 'text',
  offsetMs: 'float8',
}

const OF_NEW_ROOTS = '(select c.id from created c)'

const statement = batchStatement<NewTrees, { id: string }>(
  `
with asked as materialized (
  select * from :roots(n)
), created as (
  insert into action_do.runs (${TREE_INSERT_COLUMNS}, idempotency_key, fingerprint, params, result)
  select ${treeInsertValues('n')}, n."idempotencyKey", decode(n.fingerprint, 'hex'), n.params::json, n.result::json
  from asked n
  -- a division by zero is how the statements of trees say that nothing may be written
  where 1 / (case when exists (
    select from (select distinct a."givenTo" as id, a."offsetMs" from asked a where a."givenTo" is not null) g
    where not exists (
      select from action_do.workers w
      where ${hasLease('g.id', 'g."offsetMs"')}
    )
  ) then 0 else 1 end) = 1
  on conflict (bucket, id) do nothing
  returning id
), inserted as (${insertRuns('steps')}
  where n."rootId" in ${OF_NEW_ROOTS}
  returning bucket, id, worker_id
), held as (
  ${hold('inserted')}
), events_written as (${INSERT_EVENTS}
  where e."rootId" in ${OF_NEW_ROOTS}
)
select c.id from created c`,
  {
    roots: ROOTS,
    steps: TREE_INSERTED,
    events: EVENTS,
  },
)

/**
 * Inserts whole trees. Of one whose root was there nothing is written: nobody can see a root that is not there, so that no lock is
 * needed to begin it. Throws `TreeConflict`, and has written nothing, where a worker that is given something has no lease.
 * @returns the ids of the roots that are new.
 */
export async function createTrees(run: StatementRunner, trees: NewTrees): Promise<Set<string>> {
  try {
    return new Set((await run(statement, trees)).map(({ id }) => id))
  } catch (error) {
    throw conflictOr(error)
  }
}
