import { refuse } from './answer.ts'

/** The part of a Standard Schema (https://standardschema.dev) that is used here. */
export interface Schema<Output> {
  readonly '~standard': {
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>
    readonly types?: { readonly output: Output } | undefined
  }
}

type Checked<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** The params as the schema leaves them. Rejects with `Refused`, which names each thing that is wrong. */
export async function checkParams(schema: Schema<unknown> | undefined, params: unknown): Promise<unknown> {
  if (!schema) return params
  const checked = await schema['~standard'].validate(params)
  if (!checked.issues) return checked.value
  const issues = checked.issues.map(({ message, path }) => ({ path: (path ?? []).map(showPart).join('.'), message }))
  throw refuse(422, 'INVALID_PARAMS', 'The params do not fit the action of this service', { issues })
}

function showPart(part: unknown): string {
  return String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part)
}
