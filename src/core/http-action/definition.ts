import { InvalidDefinitionError } from '../definition/definition-error.ts'
import { Issues } from '../definition/issues.ts'
import { MAX_AT_ONCE, MAX_DESCRIPTION_LENGTH, MAX_TIMEOUT_MS } from '../definition/limits.ts'
import { defined, type JsonObject, Members } from '../definition/members.ts'
import { readRetry } from '../definition/read-retry.ts'
import { acceptSchema } from '../definition/schema-acceptance.ts'
import type { RetryOptions } from '../retry.ts'
import { urlProblem } from './target.ts'

/** The effect classes that a service can have: it cannot write in the transaction of the run. */
const HTTP_EFFECTS = ['idempotent', 'unsafe'] as const
type HttpEffect = (typeof HTTP_EFFECTS)[number]

/** An action as it is registered over the API. Absent members have the defaults of `httpAction`. */
export interface HttpDefinition {
  readonly url: string
  readonly description?: string
  readonly paramsSchema?: JsonObject
  readonly resultSchema?: JsonObject
  readonly effect?: HttpEffect
  readonly retry?: RetryOptions
  readonly timeoutMs?: number
  readonly concurrency?: number
  readonly probe?: boolean
  readonly compensate?: boolean
  readonly callbackMs?: number
}

/** The longest that a service may take after it has answered 202: what one attempt may take at all. */
export const MAX_CALLBACK_MS = MAX_TIMEOUT_MS - 86_400_000

const MAX_URL_LENGTH = 2_000

/** Reads a definition from outside. @throws InvalidDefinitionError */
export function readHttpDefinition(given: JsonObject): HttpDefinition {
  const issues = new Issues()
  const members = new Members(given, [], issues)
  const url = members.text('url', MAX_URL_LENGTH)
  const problem = urlProblem(url)
  if (!members.has('url')) members.wrong('url', 'is missing')
  else if (url !== undefined && problem) members.wrong('url', problem)
  const definition: HttpDefinition = {
    url: url ?? '',
    ...defined({
      description: members.text('description', MAX_DESCRIPTION_LENGTH),
      paramsSchema: readSchema(members, 'paramsSchema', issues),
      resultSchema: readSchema(members, 'resultSchema', issues),
      effect: members.choice('effect', HTTP_EFFECTS),
      retry: readRetry({ members, issues }),
      timeoutMs: members.whole('timeoutMs', 1, 86_400_000),
      concurrency: members.whole('concurrency', 1, MAX_AT_ONCE),
      probe: members.flag('probe'),
      compensate: members.flag('compensate'),
      callbackMs: members.whole('callbackMs', 1, MAX_CALLBACK_MS),
    }),
  }
  if (definition.probe && definition.effect !== 'unsafe')
    members.wrong('probe', 'belongs to the effect unsafe: a lost outcome of any other is repaired by calling again')
  if (issues.list.length > 0) throw new InvalidDefinitionError(issues.list)
  return definition
}

function readSchema(members: Members, member: string, issues: Issues): JsonObject | undefined {
  const schema = members.object(member)
  return schema && acceptSchema(schema, [member], issues) ? (schema as JsonObject) : undefined
}
