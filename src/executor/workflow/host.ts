import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { GraphLogic } from '../../core/workflow/logic.ts'
import type { RegisteredAction } from '../registry.ts'
import type { GraphSource } from './tree.ts'

/** What the node offers to whoever advances a tree on it. */
export interface Host extends GraphSource {
  /** The logic of a graph: of a definition always; of code where this node has it registered. */
  logic(compiled: CompiledGraph): GraphLogic | undefined
  /** The graph that a workflow's name means now. */
  current(workflow: string): Promise<CompiledGraph | undefined>
  action(name: string): RegisteredAction | undefined
  /** Takes a slot for a run that this node's worker is about to be given; false where it has to queue. */
  reserve(action: RegisteredAction): boolean
  /** Gives back what was reserved and not used. */
  release(action: RegisteredAction): void
  readonly workerId: string
  readonly maxParamsBytes: number
  readonly maxResultBytes: number
}

/** What a run must wait for when the node that would begin it lacks the code of its graph. */
export function graphQueue({ hash, graph }: CompiledGraph): string {
  return graph.definition === undefined ? `graph:${hash}` : DATA_QUEUE
}

/** Runs of graphs that were given as data: any worker can go on with them. */
export const DATA_QUEUE = 'graph:data'

/** Sub-workflows that nobody had registered when their turn came. */
export function workflowQueue(name: string): string {
  return `workflow:${name}`
}

/** Whether what waits in a queue has not begun: its params are still to be computed. */
export function isUnentered(queue: string | null): boolean {
  return queue !== null && (queue.startsWith('graph:') || queue.startsWith('workflow:'))
}
