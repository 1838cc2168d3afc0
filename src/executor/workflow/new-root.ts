import type { NewRoot } from '../../db/tree/insert-roots.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import { newRow } from './new-row.ts'

/** The row of a root that is about to be made, before anything has happened to it. */
export function newRoot(root: NewRoot, nowMs: number): TreeRow {
  const given = {
    bucket: root.bucket,
    id: root.id,
    kind: 'WORKFLOW',
    name: root.name,
    version: root.version,
    effect: 'idempotent',
    rootId: root.id,
    parentId: null,
    stepKey: null,
    stepIndex: null,
    status: 'RUNNING',
    priority: root.priority,
    graph: root.graph,
    parentGraph: null,
    pendingCount: 0,
    depth: 0,
    params: JSON.stringify(root.params),
  } as const
  const row = newRow(given, nowMs)
  row.made = root
  return row
}
