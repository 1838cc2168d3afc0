import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Registry } from '../registry.ts'

/** What a run must wait for when the node that would begin it lacks the code of its graph. */
export function graphQueue({ hash, graph }: CompiledGraph): string {
  return graph.definition === undefined ? `graph:${hash}` : DATA_QUEUE
}

/** Runs of graphs that were given as data: any worker can go on with them. */
const DATA_QUEUE = 'graph:data'

/** Sub-workflows that nobody had registered when their turn came. */
export function workflowQueue(name: string): string {
  return `workflow:${name}`
}

/** Whether what waits in a queue has not begun: its params are still to be computed. */
export function isUnentered(queue: string | null): boolean {
  return queue !== null && (queue.startsWith('graph:') || queue.startsWith('workflow:'))
}

/** The queues of what waits for a graph or a workflow that this registry has. */
export function entryQueues(registry: Registry): string[] {
  const graphs = registry.graphs().map(({ hash }) => `graph:${hash}`)
  const names = registry.workflows().map(({ workflow }) => workflowQueue(workflow.name))
  return [...graphs, ...names, DATA_QUEUE]
}

/** What a worker must have registered to take runs from a queue, as people say it. */
export function showQueue(queue: string): string {
  if (queue === DATA_QUEUE) return 'workflows'
  if (queue.startsWith('graph:'))
    return `the graph ${queue.slice('graph:'.length, 'graph:'.length + 12)}… of its workflow`
  if (queue.startsWith('workflow:')) return `the workflow ${queue.slice('workflow:'.length)}`
  return `the action ${queue}`
}

/** In the place of what it waits for: a workflow or a loop is under way, and only needs its code. */
export const GOES_ON = { kind: 'graph' }

/** Whether a queued run had begun when it was left to whoever has its graph. */
export function hasBegun({ wait }: TreeRow): boolean {
  return (wait as { kind?: string } | null)?.kind === GOES_ON.kind
}
