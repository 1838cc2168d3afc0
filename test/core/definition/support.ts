import { InvalidDefinitionError } from '../../../src/core/definition/definition-error.ts'
import { logicOf } from '../../../src/core/definition/logic.ts'
import { parseDefinition } from '../../../src/core/definition/parse.ts'
import type { Issue } from '../../../src/core/json.ts'
import type { Graph } from '../../../src/core/workflow/graph.ts'
import type { GraphLogic, Iteration, Scope, StepLogic } from '../../../src/core/workflow/logic.ts'

export const known = {
  hasAction: (name: string) => name !== 'unknown',
  hasWorkflow: (name: string) => name !== 'unknown',
  effectOf: (name: string) => (name === 'book' ? ('transactional' as const) : ('idempotent' as const)),
}

/** A definition with these steps. */
export function withSteps(...steps: unknown[]) {
  return { name: 'w', steps }
}

export function accept(definition: unknown): Graph {
  return parseDefinition(definition, known).graph
}

/** The mistakes of a definition; none when it is accepted. */
export function mistakes(definition: unknown): readonly Issue[] {
  try {
    parseDefinition(definition, known)
    return []
  } catch (error) {
    if (error instanceof InvalidDefinitionError) return error.issues
    throw error
  }
}

export function logic(definition: unknown): GraphLogic {
  return logicOf(accept(definition))
}

export function scopeOf(params: unknown, results: Record<string, unknown> = {}): Scope {
  return { params, result: (step) => results[step] }
}

/** What the value of a step is whose template is this. */
export function render(value: unknown, params: unknown = {}, results: Record<string, unknown> = {}): unknown {
  const before = Object.keys(results).map((key) => ({ key, value: 1 }))
  const step = logic(withSteps(...before, { key: 'it', value })).steps.get('it')
  return step?.input?.(scopeOf(params, results), undefined)
}

/** The logic of the step `it`, after steps with these results. */
export function stepLogic(step: object, before: readonly string[] = []): StepLogic {
  const steps = before.map((key) => ({ key, value: 1 }))
  const found = logic(withSteps(...steps, { key: 'it', ...step })).steps.get('it')
  if (!found) throw new Error('the step has no logic')
  return found
}

export function at(index: number, item: unknown): Iteration {
  return { index, item }
}

/** Milliseconds of the processor that a call takes: other processes of a busy machine do not count. */
export function duration(call: () => unknown): number {
  const start = process.cpuUsage()
  call()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}
