import { compensationRunId } from '../core/ids.ts'
import type { RunStatus } from '../core/status.ts'
import type { CompiledGraph, StepSpec } from '../core/workflow/graph.ts'
import type { RunRow } from '../db/rows.ts'
import { AttemptRef, withRunningAttempt } from './attempt.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { RunKindRef, RunStatusRef } from './enums.ts'
import type { Loaders } from './loaders.ts'
import { ActionRunRef, durationMs, NodeRef, RunRef, resultOf } from './run.ts'
import { RunErrorRef } from './run-error.ts'
import { shownWorkflow, WorkflowRef } from './workflow.ts'

/** A step of a run: what the graph says of it, and how it stands. */
interface ShownStep {
  readonly spec: StepSpec
  readonly run: RunRow
}

const StepRef = builder.objectRef<ShownStep>('Step').implement({
  description: 'A step of a workflow run, as it stands. Those of a list or a loop follow the step that they belong to.',
  fields: (t) => ({
    key: t.string({ nullable: false, description: 'Its name within the workflow.', resolve: ({ spec }) => spec.key }),
    index: t.int({
      description: 'Which one of a list or a loop it is, from 0; null for the step itself.',
      resolve: ({ run }) => run.stepIndex,
    }),
    dependsOn: t.stringList({
      nullable: { list: false, items: false },
      description: 'The steps that come directly before it.',
      resolve: ({ spec }) => [...spec.after],
    }),
    status: t.field({
      type: RunStatusRef,
      nullable: false,
      description: 'Where it is.',
      resolve: ({ run }) => run.status,
    }),
    run: t.field({
      type: RunRef,
      nullable: false,
      description: 'The step as a run of its own.',
      resolve: ({ run }) => run,
    }),
    params: t.field({
      type: 'JSON',
      description: 'What it was given; null before it has begun.',
      resolve: ({ run }) => run.params,
    }),
    durationMs: t.float({
      description: 'From its first start to its end, in milliseconds; null before it has ended.',
      resolve: ({ run }) => durationMs(run),
    }),
    result: t.field({
      type: 'JSON',
      description: 'Once it has SUCCEEDED.',
      resolve: ({ run }, _, context) => resultOf(run, context),
    }),
    error: t.field({ type: RunErrorRef, description: 'What it FAILED with.', resolve: ({ run }) => run.error }),
    attempts: t.field({
      type: [AttemptRef],
      nullable: { list: false, items: false },
      description: 'Every try, oldest first, each with its own error.',
      resolve: async ({ run }, _, { loaders }) => withRunningAttempt(run, await loaders.attempts.load(run.id)),
    }),
  }),
})

export const WorkflowRunRef = builder.objectRef<RunRow>('WorkflowRun').implement({
  description: 'One execution of a workflow.',
  interfaces: [RunRef, NodeRef],
  fields: (t) => ({
    steps: t.field({
      type: [StepRef],
      nullable: { list: false, items: false },
      description: 'Its steps in the order of the graph; none before it has begun.',
      resolve: (run, _, context) => stepsOf(run, context),
    }),
    workflow: t.field({
      type: WorkflowRef,
      description: 'The graph that it runs, whatever its name means now; null before a sub-workflow has begun.',
      resolve: async ({ name, graph }, _, { executor: { workflows, registry } }) =>
        graph === null ? null : shownWorkflow(await workflows.graphs.compiled(graph), registry.workflow(name)),
    }),
  }),
})

builder.objectRef<RunRow>('StepRun').implement({
  description: 'A step that calls nothing itself: a wait, a value, or a list or loop whose runs are its iterations.',
  interfaces: [RunRef, NodeRef],
  fields: (t) => ({
    kind: t.expose('kind', { type: RunKindRef, nullable: false, description: 'GROUP, WAIT or VALUE.' }),
  }),
})

builder.interfaceField(RunRef, 'parent', (t) =>
  t.field({
    type: WorkflowRunRef,
    description: 'The workflow run that it is a step of; null for a root.',
    resolve: ({ parentId }, _, { loaders }) => (parentId === null ? null : parentOf(parentId, loaders)),
  }),
)

builder.objectField(WorkflowRunRef, 'forkedFrom', (t) =>
  t.field({
    type: WorkflowRunRef,
    description: 'The run that it took over the beginning of; null for one that is no fork.',
    resolve: ({ forkedFrom }, _, { loaders }) => (forkedFrom === null ? null : loaders.runs.load(forkedFrom)),
  }),
)

builder.interfaceField(RunRef, 'linkedRun', (t) =>
  t.field({
    type: RunRef,
    description:
      'The run whose execution this step shares: the one under its business key, or in a fork the step that it took over.',
    resolve: ({ linkedId }, _, { loaders }) => (linkedId === null ? null : loaders.runs.load(linkedId)),
  }),
)

builder.interfaceField(RunRef, 'compensation', (t) =>
  t.field({
    type: ActionRunRef,
    description: 'The run that undoes what this one did, with attempts of its own; null where nothing was undone.',
    resolve: ({ id, generation, kind, status, error }, _, { loaders }) =>
      kind === 'ACTION' && (UNDONE.has(status) || error?.code === 'COMPENSATION_FAILED')
        ? loaders.runs.load(compensationRunId(id, generation))
        : null,
  }),
)

const UNDONE: ReadonlySet<RunStatus> = new Set<RunStatus>(['COMPENSATING', 'COMPENSATED'])

/** Past the list or loop that it may be one of. */
async function parentOf(parentId: string, loaders: Loaders): Promise<RunRow | undefined> {
  const parent = await loaders.runs.load(parentId)
  if (parent?.kind !== 'GROUP' || parent.parentId === null) return parent
  return loaders.runs.load(parent.parentId)
}

async function stepsOf(run: RunRow, { loaders, executor }: Context): Promise<ShownStep[]> {
  if (run.graph === null) return []
  const [compiled, rows] = await Promise.all([
    executor.workflows.graphs.compiled(run.graph),
    loaders.steps.load(run.id),
  ])
  const groups = rows.filter(({ kind }) => kind === 'GROUP')
  const iterations = await Promise.all(groups.map(async ({ id }) => [id, await loaders.steps.load(id)] as const))
  return inOrder(compiled, rows, new Map(iterations))
}

function inOrder(
  { graph }: CompiledGraph,
  rows: readonly RunRow[],
  iterations: ReadonlyMap<string, RunRow[]>,
): ShownStep[] {
  const byKey = new Map(rows.map((row) => [row.stepKey, row]))
  return graph.steps.flatMap((spec) => {
    const run = byKey.get(spec.key)
    if (!run) return []
    const inner = [...(iterations.get(run.id) ?? [])].sort((a, b) => (a.stepIndex ?? 0) - (b.stepIndex ?? 0))
    return [{ spec, run }, ...inner.map((one) => ({ spec, run: one }))]
  })
}
