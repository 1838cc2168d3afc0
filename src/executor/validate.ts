import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { chain, type Eventually } from '../core/eventually.ts'
import type { Issue } from '../core/json.ts'

export type Validated =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: Issue[] }

/** Checks a value against any Standard Schema. Without a schema every value is valid. */
export function validate(schema: StandardSchemaV1 | undefined, value: unknown): Eventually<Validated> {
  if (!schema) return { ok: true, value }
  return chain(schema['~standard'].validate(value), validated)
}

function validated(outcome: StandardSchemaV1.Result<unknown>): Validated {
  if (!outcome.issues) return { ok: true, value: outcome.value }
  return { ok: false, issues: outcome.issues.map(({ path, message }) => ({ path: showPath(path), message })) }
}

function showPath(path: StandardSchemaV1.Issue['path']): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}

/** The JSON Schema of a schema for the catalogue; null when its library cannot give one. */
export function jsonSchemaOf(schema: StandardSchemaV1 | undefined, side: 'input' | 'output'): unknown {
  if (!schema || !offersJsonSchema(schema)) return null
  try {
    return schema['~standard'].jsonSchema[side]({
      target: 'draft-2020-12',
      // zod's: what JSON Schema cannot say is left open instead of refused
      libraryOptions: { unrepresentable: 'any' },
    })
  } catch {
    return null
  }
}

function offersJsonSchema(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  return 'jsonSchema' in schema['~standard']
}
