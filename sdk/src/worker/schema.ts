import type { Issue } from '../errors.ts'

/** The part of a Standard Schema (https://standardschema.dev) that is used here: zod, valibot, arktype and others have it. */
export interface Schema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly jsonSchema?: JsonSchemas | undefined
  }
}

type Checked<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** What a library has that can say its schemas as JSON Schemas. */
interface JsonSchemas {
  readonly input: (options: JsonSchemaOptions) => Record<string, unknown>
  readonly output: (options: JsonSchemaOptions) => Record<string, unknown>
}

interface JsonSchemaOptions {
  readonly target: 'draft-2020-12'
  readonly libraryOptions?: Record<string, unknown> | undefined
}

/** What a caller gives; `unknown` without a schema. */
export type InputOf<S> = S extends Schema ? NonNullable<S['~standard']['types']>['input'] : unknown
/** What the schema makes of it; `unknown` without one. */
export type OutputOf<S> = S extends Schema ? NonNullable<S['~standard']['types']>['output'] : unknown

/** The value as the schema leaves it, or what is wrong with it. Without a schema every value is right. */
export async function check(
  schema: Schema | undefined,
  value: unknown,
): Promise<{ readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly Issue[] }> {
  if (!schema) return { value }
  const checked = await schema['~standard'].validate(value)
  if (!checked.issues) return { value: checked.value }
  return { issues: checked.issues.map(({ message, path }) => ({ path: showPath(path), message })) }
}

function showPath(path: readonly unknown[] = []): string {
  return path
    .map((part) => String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part))
    .join('.')
}

/** The first thing that is wrong, in words. */
export function firstIssue([first]: readonly Issue[]): string {
  return [first?.path, first?.message].filter(Boolean).join(': ') || 'invalid'
}

/** The JSON Schema of a schema; `undefined` where its library cannot say it. */
export function jsonSchemaOf(schema: Schema | undefined, side: 'input' | 'output'): unknown {
  try {
    return schema?.['~standard'].jsonSchema?.[side]({
      target: 'draft-2020-12',
      // zod's: what JSON Schema cannot say is left open instead of refused
      libraryOptions: { unrepresentable: 'any' },
    })
  } catch {
    return undefined
  }
}
