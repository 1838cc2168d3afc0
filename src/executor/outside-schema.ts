import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonObject } from '../core/definition/members.ts'
import type { OutsideAction } from '../core/definition/outside-action.ts'
import { checkBySchema } from '../core/definition/schema-check.ts'

/** What was registered over the API, as a definition in code would have it. */
export function optionsOf({ paramsSchema, resultSchema, ...rest }: Omit<OutsideAction, 'probe' | 'compensate'>) {
  return {
    ...rest,
    ...(paramsSchema && { params: standardSchema(paramsSchema) }),
    ...(resultSchema && { result: standardSchema(resultSchema) }),
  }
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
