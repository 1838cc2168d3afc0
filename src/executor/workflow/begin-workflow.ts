import type { CompiledGraph } from '../../core/workflow/graph.ts'
import type { RunRow } from '../../db/rows.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { queueStep } from './enter-step.ts'
import { LogicError } from './logic-error.ts'
import { planSteps } from './plan-steps.ts'
import { graphQueue, workflowQueue } from './queues.ts'
import { takeOver } from './take-over.ts'

/** Levels of sub-workflows: a recursion that does not end is stopped there. */
const MAX_DEPTH = 100

/** Runs in one tree: what a workflow multiplies beyond that is a mistake. */
const MAX_RUNS = 100_000

/** Lets a step run its workflow with the params that it has: with the graph that the workflow's name means now. */
export async function continueSubWorkflow(advance: Advance, row: TreeRow): Promise<void> {
  const { tree, host } = advance
  if (tree.root.paused) return queueStep(advance, row, workflowQueue(row.name))
  // one that begins again keeps its graph
  const compiled = row.graph === null ? await host.current(row.name) : tree.graphOf(row)
  if (!compiled) return queueStep(advance, row, workflowQueue(row.name))
  row.graph = compiled.hash
  tree.addGraph(compiled)
  await beginWorkflow(advance, row, compiled)
}

/** How a workflow begins. */
export interface Beginning {
  readonly actor?: string
  /** What is taken over from another run. */
  readonly taken?: readonly RunRow[]
  /** How far the steps that run anew know of the runs that they share, by key: see `knownOf`. */
  readonly known?: ReadonlyMap<string, number>
  /** For the event. */
  readonly data?: object
}

/** Plans the steps of a workflow, and begins those that depend on nothing. */
export async function beginWorkflow(
  advance: Advance,
  row: TreeRow,
  compiled: CompiledGraph,
  { actor, taken = [], known = new Map(), data }: Beginning = {},
): Promise<void> {
  const { tree, host, outcomes } = advance
  if (!host.logic(compiled)) return queueStep(advance, row, graphQueue(compiled))
  makeRoom(advance, row, compiled.graph.steps.length)
  const { deadlineMs } = compiled.graph
  if (deadlineMs !== undefined) {
    row.wakeAt = tree.nowMs + deadlineMs
    advance.timed = true
  }
  await outcomes.paramsOf(row)
  const steps = await planSteps(
    advance,
    row,
    compiled.hash,
    compiled.graph.steps.map((spec) => ({ spec, index: null })),
  )
  // whoever remembers its params by its generation must not take those of before
  if (row.startedAt !== null) row.generation++
  row.startedAt ??= tree.nowMs
  row.budgetStartedAt = tree.nowMs
  row.queue = null
  const change = {
    data: { steps: compiled.graph.steps.length, graph: compiled.hash, ...data },
    ...(actor !== undefined && { actor }),
  }
  if (row.lastSeq === 0 && row.parentId === null) tree.create(row, 'RUNNING', 'STARTED', change)
  else tree.transition(row, 'RUNNING', 'STARTED', change)
  for (const step of steps) step.nextIndex = known.get(step.stepKey ?? '') ?? step.nextIndex
  if (taken.length > 0) await takeOver(advance, row, taken)
  for (const step of steps) if (step.pendingCount === 0) await advance.consider(row, step)
  // one without steps, or with skipped ones only, has nothing left to do
  tree.idle.add(row)
}

/** Counts what is about to be planned. Throws a `LogicError` where a tree grows beyond all measure. */
export function makeRoom({ tree }: Advance, row: TreeRow, runs: number): void {
  if (row.depth >= MAX_DEPTH)
    throw new LogicError('TOO_DEEP', `Sub-workflows are nested deeper than ${MAX_DEPTH} levels`)
  const { root } = tree
  const size = (root.size ?? 0) + runs
  if (size > MAX_RUNS) throw new LogicError('TOO_MANY_RUNS', `The workflow would have more than ${MAX_RUNS} runs`)
  root.size = size
  tree.touch(root)
}
