import type { ApiClient } from './server.ts'

export interface ControlAnswer {
  __typename: string
  replayed?: boolean
  run?: { id: string; status: string }
  code?: string
  message?: string
  status?: string
  path?: string
  issues?: { path: string; message: string }[]
}

const ANSWER = (payload: string) => `{ __typename
  ... on ${payload} { replayed run { id status } } ... on Error { code message }
  ... on InvalidTransitionError { status } ... on InvalidInputError { path } }`

const CANCEL = `mutation($input: CancelRunInput!) { answer: cancelRun(input: $input) ${ANSWER('CancelRunPayload')} }`
const RETRY = `mutation($input: RetryRunInput!) { answer: retryRun(input: $input) ${ANSWER('RetryRunPayload').replace(
  '... on InvalidInputError',
  '... on InvalidParamsError { issues { path message } } ... on InvalidInputError',
)} }`

export async function cancel(server: ApiClient, input: object): Promise<ControlAnswer> {
  return (await server.query<{ answer: ControlAnswer }>(CANCEL, { input })).answer
}

export async function retry(server: ApiClient, input: object): Promise<ControlAnswer> {
  return (await server.query<{ answer: ControlAnswer }>(RETRY, { input })).answer
}

/** A backoff that takes no time. */
export const AT_ONCE = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }
