import type { RunKind } from '../../core/status.ts'
import type { StepSpec } from '../../core/workflow/graph.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import { newRow } from './new-row.ts'

/** The kind of run that a step is. */
function kindOf({ work, each, repeat }: StepSpec): RunKind {
  if (each || repeat) return 'GROUP'
  return innerKindOf(work.kind)
}

const INNER_KINDS = { action: 'ACTION', workflow: 'WORKFLOW', value: 'VALUE', sleep: 'WAIT', signal: 'WAIT' } as const

function innerKindOf(work: StepSpec['work']['kind']): RunKind {
  return INNER_KINDS[work]
}

/** The name that a step's run is shown under: of what it calls, else of what it does. */
function nameOf({ work }: StepSpec): string {
  return 'name' in work ? work.name : work.kind
}

/** A step as it is planned: PENDING, until what it depends on has ended. */
export function newStep(
  id: string,
  parent: TreeRow,
  graph: string,
  spec: StepSpec,
  nowMs: number,
  index: number | null,
): TreeRow {
  const given = {
    bucket: parent.bucket,
    id,
    kind: index === null ? kindOf(spec) : innerKindOf(spec.work.kind),
    name: nameOf(spec),
    version: parent.version,
    effect: spec.effect ?? 'idempotent',
    rootId: parent.rootId,
    parentId: parent.id,
    stepKey: spec.key,
    stepIndex: index,
    status: 'PENDING',
    priority: parent.priority,
    graph: null,
    parentGraph: graph,
    pendingCount: index === null ? new Set(spec.after).size : 0,
    depth: parent.depth + 1,
    params: undefined,
  } as const
  return newRow(given, nowMs)
}
