import { parseDefinition } from '../../core/definition/parse.ts'
import { InvalidInputError } from '../../core/request-errors.ts'
import { type CompiledGraph, compileGraph } from '../../core/workflow/graph.ts'
import { saveDefinition } from '../../db/graphs.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'

/**
 * Checks a workflow given as data, and makes it ready to be run. Throws an `InvalidDefinitionError` that names each mistake
 * with its path.
 */
export async function acceptDefinition(executor: Executor, definition: unknown): Promise<CompiledGraph> {
  const { registry, workflows, options } = executor
  const parse = (hasWorkflow: (name: string) => boolean) =>
    parseDefinition(definition, {
      hasAction: (name) => registry.get(name) !== undefined,
      hasWorkflow,
      effectOf: (name) => registry.get(name)?.effect,
    })
  const called = new Set<string>()
  const supposed = attempted(() =>
    parse((name) => {
      called.add(name)
      return true
    }),
  )
  // a workflow may call itself
  called.delete(nameIn(definition))
  const unknown = await whileUnavailable(options.unavailableMs, () => workflows.graphs.unknown([...called]))
  const { graph } = unknown.size === 0 ? supposed() : parse((name) => !unknown.has(name))
  return compileGraph(graph)
}

/** Does something now, for whoever wants to know later what came of it: a value, or something thrown. */
function attempted<T>(work: () => T): () => T {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

/** The name that a definition claims. */
export function nameIn(definition: unknown): string {
  const name = typeof definition === 'object' && definition !== null ? Reflect.get(definition, 'name') : undefined
  return typeof name === 'string' ? name : ''
}

/**
 * Stores a workflow given as data under its name, for `startWorkflow`. Runs under way keep the graph that they have. Throws an
 * `InvalidInputError` where the code has a workflow of this name, which goes before.
 */
export async function defineWorkflow(executor: Executor, definition: unknown, actor: string): Promise<CompiledGraph> {
  const compiled = await acceptDefinition(executor, definition)
  const { name } = compiled.graph
  if (executor.registry.workflow(name))
    throw new InvalidInputError(
      'definition.name',
      `is ${JSON.stringify(name)}, which a workflow of the code has already`,
    )
  const { graphs } = executor.workflows
  await whileUnavailable(executor.options.unavailableMs, async () => {
    await graphs.add(compiled)
    await saveDefinition(executor.db, name, compiled.hash, actor)
  })
  graphs.forget(name)
  return compiled
}
