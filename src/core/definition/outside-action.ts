import type { RetryOptions } from '../retry.ts'
import type { Issues } from './issues.ts'
import { MAX_DESCRIPTION_LENGTH } from './limits.ts'
import { defined, type JsonObject, type Members } from './members.ts'
import { readRetry } from './read-retry.ts'
import { acceptSchema } from './schema-acceptance.ts'

/** The effect classes of what is executed elsewhere: it cannot write in the transaction of the run. */
const OUTSIDE_EFFECTS = ['idempotent', 'unsafe'] as const

/** What is registered over the API of any action that something else than the server executes. Absent members have the defaults. */
export interface OutsideAction {
  readonly description?: string
  readonly paramsSchema?: JsonObject
  readonly resultSchema?: JsonObject
  readonly effect?: (typeof OUTSIDE_EFFECTS)[number]
  readonly retry?: RetryOptions
  readonly timeoutMs?: number
  readonly probe?: boolean
  readonly compensate?: boolean
}

/** Reads those members; notes what is wrong with them. */
export function readOutsideAction(members: Members, issues: Issues): OutsideAction {
  const action: OutsideAction = defined({
    description: members.text('description', MAX_DESCRIPTION_LENGTH),
    paramsSchema: readSchema(members, 'paramsSchema', issues),
    resultSchema: readSchema(members, 'resultSchema', issues),
    effect: members.choice('effect', OUTSIDE_EFFECTS),
    retry: readRetry({ members, issues }),
    timeoutMs: members.whole('timeoutMs', 1, 86_400_000),
    probe: members.flag('probe'),
    compensate: members.flag('compensate'),
  })
  if (action.probe && action.effect !== 'unsafe')
    members.wrong('probe', 'belongs to the effect unsafe: a lost outcome of any other is repaired by executing again')
  return action
}

function readSchema(members: Members, member: string, issues: Issues): JsonObject | undefined {
  const schema = members.object(member)
  return schema && acceptSchema(schema, members.at(member), issues) ? (schema as JsonObject) : undefined
}
