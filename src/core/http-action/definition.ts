import { InvalidDefinitionError } from '../definition/definition-error.ts'
import { Issues } from '../definition/issues.ts'
import { MAX_AT_ONCE, MAX_TIMEOUT_MS } from '../definition/limits.ts'
import { defined, type JsonObject, Members } from '../definition/members.ts'
import { type OutsideAction, readOutsideAction } from '../definition/outside-action.ts'
import { urlProblem } from './target.ts'

/** An action as it is registered over the API. Absent members have the defaults of `httpAction`. */
export interface HttpDefinition extends OutsideAction {
  readonly url: string
  readonly concurrency?: number
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
    ...readOutsideAction(members, issues),
    ...defined({
      concurrency: members.whole('concurrency', 1, MAX_AT_ONCE),
      callbackMs: members.whole('callbackMs', 1, MAX_CALLBACK_MS),
    }),
  }
  if (issues.list.length > 0) throw new InvalidDefinitionError(issues.list)
  return definition
}
