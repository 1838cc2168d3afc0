import type { ApiClient } from './server.ts'

export interface ActionAnswer {
  __typename: string
  action?: {
    name: string
    version: string
    url: string | null
    effect: string
    paramsSchema: unknown
    timeoutMs: number
  }
  name?: string
  secret?: string
  code?: string
  message?: string
  path?: string
  issues?: { path: string; message: string }[]
}

const ACTION = 'action { name version url effect paramsSchema timeoutMs }'
const REFUSED = '... on Error { code message } ... on InvalidInputError { path }'
const ISSUES = '... on InvalidDefinitionError { issues { path message } }'

/** What each takes, and what of its answer is looked at. */
const MUTATIONS = {
  registerAction: ['RegisterActionInput', `... on RegisterActionPayload { secret ${ACTION} } ${ISSUES}`],
  updateAction: ['UpdateActionInput', `... on UpdateActionPayload { ${ACTION} } ${ISSUES}`],
  removeAction: ['RemoveActionInput', '... on RemoveActionPayload { name }'],
  rotateActionSecret: ['RotateActionSecretInput', `... on RotateActionSecretPayload { secret ${ACTION} }`],
} as const

/** One of the mutations on registered actions. */
export async function change(
  server: ApiClient,
  mutation: keyof typeof MUTATIONS,
  input: object,
): Promise<ActionAnswer> {
  const [type, shown] = MUTATIONS[mutation]
  const document = `mutation($input: ${type}!) { ${mutation}(input: $input) { __typename ${shown} ${REFUSED} } }`
  return (await server.query<Record<string, ActionAnswer>>(document, { input }))[mutation]!
}
