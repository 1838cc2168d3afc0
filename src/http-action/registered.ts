import { defined } from '../core/definition/members.ts'
import type { HttpDefinition } from '../core/http-action/definition.ts'
import type { Action } from '../executor/define-action.ts'
import { optionsOf } from '../executor/outside-schema.ts'
import { httpAction } from './http-action.ts'

/** An action that was registered over the API, as `httpAction` would have defined it. */
export function registeredHttpAction(
  name: string,
  version: number,
  { url, callbackMs, concurrency, probe, compensate, ...definition }: HttpDefinition,
  secrets: readonly string[],
): Action {
  return httpAction(name, {
    ...optionsOf(definition),
    ...defined({ concurrency, probe, compensate }),
    url,
    version: `${version}`,
    secret: secrets,
    ...(callbackMs !== undefined && { callback: { deadlineMs: callbackMs } }),
  })
}
