import type { IncomingMessage, ServerResponse } from 'node:http'
import { byteLength, jsonIssues } from '../core/json.ts'
import { MAX_PROGRESS_BYTES } from '../executor/heartbeat.ts'
import type { Callbacks, Received } from '../http-action/callbacks.ts'
import { bearerToken } from './authorization.ts'

const PATH = /^\/callbacks\/(callback_[0-9a-z]{26})\/(complete|fail|heartbeat)$/

/** Says how it ended (`complete`, `fail`), or how far it has come (`heartbeat`): a service that answered 202. */
export async function receiveCallback(
  callbacks: Callbacks,
  maxResultBytes: number,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [pathname = ''] = (req.url ?? '').split('?')
  const [, id, verb] = PATH.exec(pathname) ?? []
  if (id === undefined)
    return refuse(res, 404, 'NOT_FOUND', 'The address is /callbacks/<id>/complete, fail or heartbeat')
  if (req.method !== 'POST') return refuse(res, 405, 'METHOD_NOT_ALLOWED', 'Callbacks are made with POST')
  const token = bearerToken(req.headers.authorization)
  if (token === undefined) return refuse(res, 401, 'UNAUTHENTICATED', 'Send the token: Authorization: Bearer <token>')
  const body = await readJson(req, verb === 'heartbeat' ? MAX_PROGRESS_BYTES : maxResultBytes)
  if ('problem' in body) return refuse(res, ...body.problem)
  const { value } = body
  const received =
    verb === 'heartbeat'
      ? await callbacks.beat(id, token, value)
      : await callbacks.end(id, token, verb === 'fail' ? 'fail' : 'complete', value)
  if (received === 'recorded') res.writeHead(204).end()
  else refuse(res, ...REFUSALS[received])
}

type Refusal = [status: number, code: string, title: string]

const REFUSALS: Record<Exclude<Received, 'recorded'>, Refusal> = {
  unknown: [401, 'UNAUTHENTICATED', 'There is no callback of this id and token'],
  'ended-otherwise': [409, 'ENDED_OTHERWISE', 'It was already said how this ended, and it was something else'],
  overdue: [410, 'CALLBACK_OVERDUE', 'The deadline of this callback has passed'],
}

/** JSON as it can be stored. An empty body is null. */
async function readJson(req: IncomingMessage, maxBytes: number): Promise<{ value: unknown } | { problem: Refusal }> {
  const tooLarge: Refusal = [413, 'PAYLOAD_TOO_LARGE', `The body is over ${maxBytes} bytes`]
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += chunk.length
    if (size > maxBytes) return { problem: tooLarge }
    chunks.push(chunk)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
    const value: unknown = text === '' ? null : JSON.parse(text)
    const [issue] = jsonIssues(value)
    // written out, a number may take more than it did
    if (!issue) return byteLength(JSON.stringify(value)) > maxBytes ? { problem: tooLarge } : { value }
    return { problem: [400, 'BODY_INVALID', `The body cannot be stored: ${issue.path} ${issue.message}`] }
  } catch {
    return { problem: [400, 'BODY_INVALID', 'The body is not JSON'] }
  }
}

function refuse(res: ServerResponse, status: number, code: string, title: string): void {
  // an unread body would keep the connection busy
  if (status === 413) res.setHeader('connection', 'close')
  res
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', status, code, title }))
}
