import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonObject } from '../core/definition/members.ts'
import { checkBySchema } from '../core/definition/schema-check.ts'
import type { StoredAction } from '../db/action-definitions.ts'
import type { Action } from '../executor/define-action.ts'
import { httpAction } from './http-action.ts'

/** An action that was registered over the API, as `httpAction` would have defined it. */
export function actionOf({ name, version, definition, secrets }: StoredAction): Action {
  const { paramsSchema, resultSchema, callbackMs, ...rest } = definition
  return httpAction(name, {
    ...rest,
    version: `${version}`,
    secret: secrets,
    ...(paramsSchema && { params: standardSchema(paramsSchema) }),
    ...(resultSchema && { result: standardSchema(resultSchema) }),
    ...(callbackMs !== undefined && { callback: { deadlineMs: callbackMs } }),
  })
}

/** An accepted JSON Schema as a Standard Schema. */
function standardSchema(schema: JsonObject): StandardSchemaV1 & StandardJSONSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'action.do',
      validate: (value) => {
        const checked = checkBySchema(schema, value)
        if (checked.ok) return { value: checked.value }
        return { issues: checked.issues.map(({ path, message }) => ({ message, path: path ? path.split('.') : [] })) }
      },
      jsonSchema: { input: () => schema, output: () => schema },
    },
  }
}
