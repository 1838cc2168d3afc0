import { InvalidDefinitionError } from '../definition/definition-error.ts'
import { Issues } from '../definition/issues.ts'
import { MAX_NAME_LENGTH } from '../definition/limits.ts'
import { isObject, type JsonObject, Members } from '../definition/members.ts'
import { type OutsideAction, readOutsideAction } from '../definition/outside-action.ts'
import { NAME } from '../definition/step-kinds.ts'
import { relaxSchema } from './relax-schema.ts'

/** An action as a worker registers it. */
export interface WorkerDefinition extends OutsideAction {
  /** Tells it from an action that a service executes. */
  readonly kind: 'worker'
}

export interface NamedDefinition {
  readonly name: string
  readonly definition: WorkerDefinition
}

/** Reads what a worker registers. @throws InvalidDefinitionError that names each mistake with its path. */
export function readWorkerActions(given: readonly JsonObject[]): NamedDefinition[] {
  const issues = new Issues()
  if (given.length === 0) issues.add(['actions'], 'is empty; name what the worker executes')
  const seen = new Set<unknown>()
  const read = given.map((action, index) => {
    const members = new Members(relaxedSchemas(action), ['actions', index], issues)
    const name = members.name('name', NAME, MAX_NAME_LENGTH) ?? ''
    if (seen.has(name)) members.wrong('name', `is ${JSON.stringify(name)} a second time`)
    seen.add(name)
    return { name, definition: { kind: 'worker', ...readOutsideAction(members, issues) } as const }
  })
  if (issues.list.length > 0) throw new InvalidDefinitionError(issues.list)
  return read
}

function relaxedSchemas(action: JsonObject): JsonObject {
  const { paramsSchema, resultSchema } = action
  return {
    ...action,
    ...(isObject(paramsSchema) && { paramsSchema: relaxSchema(paramsSchema) }),
    ...(isObject(resultSchema) && { resultSchema: relaxSchema(resultSchema) }),
  }
}
