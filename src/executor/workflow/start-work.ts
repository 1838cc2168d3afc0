import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { runOrQueue } from './begin-action.ts'
import { continueSubWorkflow } from './begin-workflow.ts'
import { type Shared, waitForLinked, waitForTurn } from './shared-work.ts'

/** Lets a step do its work with the params that were computed for it: in its turn, and under its business key, if it has them. */
export async function startWork(advance: Advance, row: TreeRow, params: string, shared: Shared): Promise<void> {
  row.params = params
  if (shared.limit) waitForTurn(advance, row, { ...shared, limit: shared.limit })
  else await startNow(advance, row, JSON.parse(params), shared.key)
}

/** The same once nothing stands in the way. */
export async function startNow(
  advance: Advance,
  row: TreeRow,
  params: unknown,
  key: string | undefined,
): Promise<void> {
  if (key !== undefined) waitForLinked(advance, row, key, params)
  else if (row.kind === 'ACTION') runOrQueue(advance, row, params)
  else await continueSubWorkflow(advance, row)
}
