import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Graph, OnError } from '../core/workflow/graph.ts'
import type { GraphLogic } from '../core/workflow/logic.ts'
import type { Action } from './define-action.ts'
import { graphLogic } from './workflow-logic.ts'
import type { StepList, UserFunction } from './workflow-step-list.ts'
import type { Workflow } from './workflow-types.ts'

/** What a workflow is apart from its steps. */
export interface Head {
  readonly name: string
  readonly version: string
  readonly description: string | undefined
  readonly onError: OnError
  readonly deadlineMs: number | undefined
  readonly previous: readonly Workflow[]
  readonly paramsSchema: StandardSchemaV1 | undefined
}

/** A workflow of declared steps. What is made of them is made when first asked for, and then kept. */
export class Definition implements Workflow {
  readonly kind = 'workflow'
  readonly name: string
  readonly version: string
  readonly description: string | undefined
  readonly previous: readonly Workflow[]
  readonly paramsSchema: StandardSchemaV1 | undefined
  #graph: Graph | undefined
  #logic: GraphLogic | undefined
  #actions: readonly Action[] | undefined
  #workflows: readonly Workflow[] | undefined

  constructor(
    protected readonly head: Head,
    protected readonly steps: StepList,
    private readonly resultFunction?: UserFunction,
  ) {
    this.name = head.name
    this.version = head.version
    this.description = head.description
    this.previous = head.previous
    this.paramsSchema = head.paramsSchema
  }

  protected get label(): string {
    return `workflow ${JSON.stringify(this.name)}`
  }

  get graph(): Graph {
    this.#graph ??= graphOf(this.head, this.steps)
    return this.#graph
  }

  get logic(): GraphLogic {
    this.#logic ??= graphLogic(this.label, this.steps, this.paramsSchema, this.resultFunction)
    return this.#logic
  }

  get actions(): readonly Action[] {
    this.#actions ??= [...new Set(targetsOf(this.steps).filter((target) => target.kind === 'action'))]
    return this.#actions
  }

  get workflows(): readonly Workflow[] {
    this.#workflows ??= [...new Set(targetsOf(this.steps).filter((target) => target.kind === 'workflow'))]
    return this.#workflows
  }
}

function graphOf({ name, version, description, onError, deadlineMs }: Head, steps: StepList): Graph {
  return {
    name,
    version,
    ...(description !== undefined && { description }),
    steps: steps.all().map(({ spec }) => spec),
    onError,
    ...(deadlineMs !== undefined && { deadlineMs }),
  }
}

function targetsOf(steps: StepList) {
  return steps.all().flatMap(({ target }) => target ?? [])
}
