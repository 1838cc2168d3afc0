import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { API_KEY } from './server.ts'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  readonly headers?: Record<string, string>
  /** Sent in chunks, without a Content-Length, unless a header gives one. */
  readonly body?: string
}

export const BEARER = { authorization: `Bearer ${API_KEY}` }
export const JSON_TYPE = { 'content-type': 'application/json' }

/** A request of which nothing is added or mended on the way, unlike `fetch`. */
export async function rawRequest(
  url: string,
  { method = 'GET', headers = {}, body }: RawRequest = {},
): Promise<RawAnswer> {
  const sent = request(url, { method, headers, agent: false })
  // a refusal may close the connection before the whole body is sent
  sent.on('error', () => {})
  if (body !== undefined) sent.write(body)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

/** A POST of JSON text with the key and its length. */
export function rawPost(url: string, body: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  return rawRequest(url, { method: 'POST', headers: { ...BEARER, ...JSON_TYPE, ...length, ...headers }, body })
}

/** The code of the one error in a body. */
export function codeIn({ body }: RawAnswer): unknown {
  const { errors } = JSON.parse(body) as { errors: { extensions?: { code?: string } }[] }
  return errors.length === 1 ? errors[0]?.extensions?.code : errors
}
