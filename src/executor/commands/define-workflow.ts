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
  const { registry, workflows } = executor
  const known = new Set(
    (await whileUnavailable(executor.options.unavailableMs, () => workflows.graphs.all())).map(
      ({ graph }) => graph.name,
    ),
  )
  const { graph } = parseDefinition(definition, {
    hasAction: (name) => registry.get(name) !== undefined,
    // a workflow may call itself
    hasWorkflow: (name) => known.has(name) || name === nameIn(definition),
    effectOf: (name) => registry.get(name)?.effect,
  })
  return compileGraph(graph)
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
