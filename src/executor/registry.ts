import { type CompiledGraph, compileGraph } from '../core/workflow/graph.ts'
import type { GraphLogic } from '../core/workflow/logic.ts'
import type { Action } from './define-action.ts'
import { jsonSchemaOf } from './validate.ts'
import type { Workflow } from './workflow-types.ts'

/** An action as it is registered, with what the catalogue shows of its schemas. */
export interface RegisteredAction extends Action {
  readonly paramsJsonSchema: unknown
  readonly resultJsonSchema: unknown
}

/** A workflow as it is registered. */
export interface RegisteredWorkflow {
  readonly workflow: Workflow
  readonly compiled: CompiledGraph
  readonly paramsJsonSchema: unknown
}

/** The actions and workflows that this server knows, by name; graphs also by their hash, older ones included. */
export class Registry {
  private readonly byName = new Map<string, RegisteredAction>()
  private readonly definitions = new Map<string, Action>()
  private readonly workflowsByName = new Map<string, RegisteredWorkflow>()
  private readonly byHash = new Map<string, { compiled: CompiledGraph; logic: GraphLogic }>()
  /** Those that were registered over the API, while servers run. */
  private registered: ReadonlyMap<string, RegisteredAction> = new Map()
  private prepare = (action: Action): Action => action
  private lists: ReturnType<Registry['listed']> | undefined

  /**
   * Registers the workflows with the actions and workflows that they refer to. Throws when two share a name, and when a
   * workflow calls an action or a workflow by a name that nothing has.
   */
  constructor(actions: readonly Action[], workflows: readonly Workflow[] = []) {
    for (const action of actions) this.addAction(action, false)
    for (const workflow of workflows) this.addWorkflow(workflow, false)
  }

  private addAction(action: Action, again: boolean): void {
    if (action?.kind !== 'action')
      throw new TypeError('serve({ actions }) takes what action() returns; one member is something else')
    const known = this.definitions.get(action.name)
    if (again && known === action) return
    if (known) throw new Error(`two actions are called ${JSON.stringify(action.name)}`)
    this.definitions.set(action.name, action)
    this.byName.set(action.name, catalogued(action))
  }

  /** Gives each action what it needs of this server to be executed, those that are registered later too. */
  prepareWith(prepare: (action: Action) => Action): void {
    this.prepare = prepare
    this.lists = undefined
    for (const [name, action] of this.byName) this.byName.set(name, { ...action, ...prepare(action) })
  }

  /** Puts these in the place of those that were registered over the API. What the code has goes before. */
  replaceRegistered(actions: readonly Action[]): void {
    const own = actions.filter(({ name }) => !this.byName.has(name))
    this.registered = new Map(own.map((action) => [action.name, catalogued(this.prepare(action))]))
    this.lists = undefined
  }

  /** Whether the code has an action of this name. */
  isOfCode(name: string): boolean {
    return this.byName.has(name)
  }

  private addWorkflow(workflow: Workflow, again: boolean): void {
    if (workflow?.kind !== 'workflow')
      throw new TypeError('serve({ workflows }) takes what workflow() returns; one member is something else')
    const known = this.workflowsByName.get(workflow.name)
    if (again && known?.workflow === workflow) return
    if (known) throw new Error(`two workflows are called ${JSON.stringify(workflow.name)}`)
    const compiled = this.addGraph(workflow)
    const paramsJsonSchema = jsonSchemaOf(workflow.paramsSchema, 'input')
    this.workflowsByName.set(workflow.name, { workflow, compiled, paramsJsonSchema })
    for (const previous of workflow.previous) this.addGraph(previous)
    for (const version of [workflow, ...workflow.previous]) {
      for (const action of version.actions) this.addAction(action, true)
      for (const inner of version.workflows) this.addWorkflow(inner, true)
    }
  }

  private addGraph({ graph, logic }: Workflow): CompiledGraph {
    const compiled = compileGraph(graph)
    this.byHash.set(compiled.hash, { compiled, logic })
    return compiled
  }

  get(name: string): RegisteredAction | undefined {
    return this.byName.get(name) ?? this.registered.get(name)
  }

  /** In alphabetical order. */
  all(): readonly RegisteredAction[] {
    return this.listed().all
  }

  /** Those that this process executes itself, in alphabetical order. */
  local(): readonly RegisteredAction[] {
    return this.listed().local
  }

  /** Sorted once for each change: a worker asks with each look at the queue. */
  private listed(): { all: readonly RegisteredAction[]; local: readonly RegisteredAction[] } {
    if (!this.lists) {
      const all = [...this.byName.values(), ...this.registered.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      this.lists = { all, local: all.filter(({ remote }) => !remote) }
    }
    return this.lists
  }

  names(): string[] {
    return this.all().map(({ name }) => name)
  }

  workflow(name: string): RegisteredWorkflow | undefined {
    return this.workflowsByName.get(name)
  }

  /** In alphabetical order. */
  workflows(): RegisteredWorkflow[] {
    return [...this.workflowsByName.values()].sort((a, b) => (a.workflow.name < b.workflow.name ? -1 : 1))
  }

  graph(hash: string): CompiledGraph | undefined {
    return this.byHash.get(hash)?.compiled
  }

  logic(hash: string): GraphLogic | undefined {
    return this.byHash.get(hash)?.logic
  }

  /** Every graph that is registered, those of older versions included. */
  graphs(): CompiledGraph[] {
    return [...this.byHash.values()].map(({ compiled }) => compiled)
  }
}

/** An action with what the catalogue shows of its schemas. */
export function catalogued(action: Action): RegisteredAction {
  return {
    ...action,
    paramsJsonSchema: jsonSchemaOf(action.paramsSchema, 'input'),
    resultJsonSchema: jsonSchemaOf(action.resultSchema, 'output'),
  }
}
