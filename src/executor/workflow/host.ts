import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { GraphLogic } from '../../core/workflow/logic.ts'
import type { RegisteredAction } from '../registry.ts'
import type { Begins } from './begins.ts'
import type { GraphSource } from './loaded-tree.ts'
import type { ParamsCache } from './params-cache.ts'

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
  readonly begins: Begins
  readonly params: ParamsCache
  readonly maxParamsBytes: number
  readonly maxResultBytes: number
}
