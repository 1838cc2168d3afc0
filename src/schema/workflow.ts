import { type CompiledGraph, onErrorOf, type StepSpec } from '../core/workflow/graph.ts'
import { mermaidOf } from '../core/workflow/mermaid.ts'
import type { RegisteredWorkflow } from '../executor/registry.ts'
import { builder } from './builder.ts'

/** A step as the graph has it. */
interface DeclaredStep {
  readonly compiled: CompiledGraph
  readonly spec: StepSpec
}

const WorkflowStepRef = builder.objectRef<DeclaredStep>('WorkflowStep').implement({
  description: 'A step as the graph of a workflow declares it.',
  fields: (t) => ({
    key: t.string({ nullable: false, description: 'Its name within the workflow.', resolve: ({ spec }) => spec.key }),
    kind: t.string({
      nullable: false,
      description: 'What it does: action, workflow, value, sleep, signal.',
      resolve: ({ spec }) => spec.work.kind,
    }),
    dependsOn: t.stringList({
      nullable: { list: false, items: false },
      description: 'The steps that come directly before it.',
      resolve: ({ spec }) => [...spec.after],
    }),
    action: t.string({
      description: 'The action that it calls; null for any other step.',
      resolve: ({ spec }) => (spec.work.kind === 'action' ? spec.work.name : null),
    }),
    workflow: t.string({
      description: 'The workflow that it runs; null for any other step.',
      resolve: ({ spec }) => (spec.work.kind === 'workflow' ? spec.work.name : null),
    }),
    conditional: t.boolean({
      nullable: false,
      description: 'Whether a condition decides if it runs.',
      resolve: ({ spec }) => spec.conditional,
    }),
    onError: t.string({
      nullable: false,
      description: 'What becomes of the workflow when it fails: fail, continue, compensate.',
      resolve: ({ compiled, spec }) => onErrorOf(compiled.graph, spec),
    }),
  }),
})

/** A workflow as it is registered or stored, or as a run has it. */
export interface ShownWorkflow {
  readonly compiled: CompiledGraph
  readonly registered: RegisteredWorkflow | undefined
}

export const WorkflowRef = builder.objectRef<ShownWorkflow>('Workflow').implement({
  description: 'A named, typed graph of steps.',
  fields: (t) => ({
    name: t.string({
      nullable: false,
      description: 'What `startWorkflow` takes.',
      resolve: ({ compiled }) => compiled.graph.name,
    }),
    version: t.string({
      nullable: false,
      description: 'Recorded with each run.',
      resolve: ({ compiled }) => compiled.graph.version,
    }),
    description: t.string({
      description: 'What it does.',
      resolve: ({ compiled }) => compiled.graph.description ?? null,
    }),
    graph: t.string({
      nullable: false,
      description: 'The hash of its structure: a run goes on with the one that it started with.',
      resolve: ({ compiled }) => compiled.hash,
    }),
    paramsSchema: t.field({
      type: 'JSON',
      description: 'JSON Schema (2020-12) of what a caller gives; null where it has none, or the library cannot say.',
      resolve: ({ compiled, registered }) => registered?.paramsJsonSchema ?? paramsSchemaIn(compiled),
    }),
    steps: t.field({
      type: [WorkflowStepRef],
      nullable: { list: false, items: false },
      description: 'In the order in which they are declared.',
      resolve: ({ compiled }) => compiled.graph.steps.map((spec) => ({ compiled, spec })),
    }),
    definition: t.field({
      type: 'JSON',
      description: 'What it was defined with, where that was data; null for code.',
      resolve: ({ compiled }) => compiled.graph.definition ?? null,
    }),
    mermaid: t.string({
      nullable: false,
      description: 'Its picture, as a Mermaid flowchart.',
      resolve: ({ compiled }) => mermaidOf(compiled.graph),
    }),
  }),
})

function paramsSchemaIn({ graph: { definition } }: CompiledGraph): unknown {
  return definition !== null && typeof definition === 'object'
    ? (Reflect.get(definition, 'paramsSchema') ?? null)
    : null
}

builder.queryField('workflows', (t) =>
  t.field({
    type: [WorkflowRef],
    nullable: { list: false, items: false },
    description:
      'The workflows that can be started by name, in alphabetical order; of those defined as data the first 1,000.',
    resolve: async (_, __, { executor: { workflows, registry } }) =>
      (await workflows.graphs.list()).map((compiled) =>
        shownWorkflow(compiled, registry.workflow(compiled.graph.name)),
      ),
  }),
)

builder.queryField('workflow', (t) =>
  t.field({
    type: WorkflowRef,
    description: 'A workflow by its name; null when there is none.',
    args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
    resolve: async (_, { name }, { executor: { workflows, registry } }) => {
      const compiled = name.includes('\0') ? undefined : await workflows.graphs.current(name)
      return compiled ? shownWorkflow(compiled, registry.workflow(name)) : null
    },
  }),
)

/** The schema of the code belongs to the graph of the code only. */
export function shownWorkflow(compiled: CompiledGraph, registered: RegisteredWorkflow | undefined): ShownWorkflow {
  return { compiled, registered: registered?.compiled.hash === compiled.hash ? registered : undefined }
}
