import type { WorkerDefinition } from '../core/remote-worker/definition.ts'
import { type Action, action } from '../executor/define-action.ts'
import { optionsOf } from '../executor/outside-schema.ts'

/** An action that remote workers execute, as one of them has registered it. */
export function remoteAction(name: string, version: number, definition: WorkerDefinition): Action {
  const { kind: _, probe, compensate, ...rest } = definition
  const defined = action(name, {
    ...optionsOf(rest),
    version: `${version}`,
    run: notExecutedHere,
    ...(probe && { probe: notExecutedHere }),
    ...(compensate && { compensate: notExecutedHere }),
  })
  return { ...defined, remote: true }
}

/** Its runs are given to remote workers alone. */
function notExecutedHere(): never {
  throw new Error('this action is executed by remote workers')
}
