import { DoError } from './errors.ts'
import { retryAfterMs } from './time.ts'

/** Statuses that say nothing about the request itself: the same one may succeed in a moment. */
const TRANSIENT = new Set([408, 429, 502, 503, 504])

const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'RATE_LIMITED',
}

interface GraphQLError {
  readonly message?: string
  readonly extensions?: { readonly code?: string; readonly retryable?: boolean }
}

/** What GraphQL answers, in one response or in one message of a stream. */
export interface GraphQLResult {
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly errors?: readonly GraphQLError[]
}

/** The `data` of a response; throws a `DoError`, `retryable` when the same request may succeed in a moment. */
export async function readData(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text()
  const result = parseResult(text)
  if (!response.ok) throw statusError(response, result)
  if (result) return dataOf(result)
  // JSON that does not parse was cut on its way; anything else comes from somebody who does not speak GraphQL
  if (response.headers.get('content-type')?.includes('json'))
    throw new DoError('NETWORK_ERROR', 'the answer was cut short', { retryable: true })
  throw new DoError(
    'BAD_RESPONSE',
    `${response.url || 'the server'} did not answer with JSON; is this the GraphQL endpoint?`,
  )
}

/** The `data` of a result without errors; throws the first of its errors. */
export function dataOf(result: GraphQLResult): Readonly<Record<string, unknown>> {
  if (result.errors?.length) throw graphQLError(result.errors)
  if (result.data) return result.data
  throw new DoError('BAD_RESPONSE', 'the answer has neither data nor errors; is this the GraphQL endpoint?')
}

/** Undefined when the text is no JSON object. */
export function parseResult(text: string): GraphQLResult | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** What a response that is not ok means: its GraphQL errors if it has any, else its status. */
export function statusError(response: Response, result: GraphQLResult | undefined): DoError {
  const transient = TRANSIENT.has(response.status)
  const said = result?.errors?.length ? graphQLError(result.errors) : undefined
  const byStatus = CODE_OF_STATUS[response.status] ?? (transient ? 'SERVICE_UNAVAILABLE' : 'BAD_RESPONSE')
  const code = response.status === 401 ? 'UNAUTHENTICATED' : (said?.code ?? byStatus)
  return new DoError(code, said?.message ?? `the server answered with HTTP ${response.status}`, {
    retryable: transient || said?.retryable,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  })
}

function graphQLError(errors: readonly GraphQLError[]): DoError {
  // one that may pass does not help while another stays
  const error = errors.find((each) => !isTransient(each)) ?? errors[0]
  return new DoError(error?.extensions?.code ?? 'BAD_RESPONSE', error?.message ?? 'the request failed', {
    retryable: error !== undefined && isTransient(error),
  })
}

function isTransient({ extensions }: GraphQLError): boolean {
  return extensions?.retryable === true || extensions?.code === 'SERVICE_UNAVAILABLE'
}
