import type { Graph } from '../workflow/graph.ts'
import { readDefinition } from './read-definition.ts'
import type { Known } from './reading.ts'

/**
 * Accepts a workflow given as data, or says what is wrong with it, up to 20 mistakes with their paths. Everything that can
 * be known before a run is checked: the structure, what it calls, and every expression with all that it names.
 * @throws InvalidDefinitionError
 */
export function parseDefinition(value: unknown, known: Known): { graph: Graph } {
  return { graph: readDefinition(value, known).graph }
}
