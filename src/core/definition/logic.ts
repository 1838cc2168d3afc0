import type { Graph } from '../workflow/graph.ts'
import type { GraphLogic } from '../workflow/logic.ts'
import { InvalidDefinitionError } from './definition-error.ts'
import { readDefinition } from './read-definition.ts'
import type { Known } from './reading.ts'

/** What it calls was checked when it was accepted, and may be registered elsewhere now. */
const ANYTHING: Known = { hasAction: () => true, hasWorkflow: () => true }

/**
 * The expressions of an accepted definition, compiled: about 20 µs for each. Keep what it returns.
 * @throws Error for a graph without a definition, or with one that this version would not accept.
 */
export function logicOf(graph: Graph): GraphLogic {
  if (graph.definition === undefined) throw new Error(`the workflow ${graph.name} was not given as data`)
  try {
    return readDefinition(graph.definition, ANYTHING).logic
  } catch (error) {
    if (!(error instanceof InvalidDefinitionError)) throw error
    throw new Error(`the stored definition of ${graph.name} cannot be compiled: ${error.message}`, { cause: error })
  }
}
