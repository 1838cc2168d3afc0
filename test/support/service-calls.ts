import { Webhook } from 'standardwebhooks'
import { SECRET } from './http-service.ts'

export interface CallParts {
  key?: string
  action?: string
  operation?: string
  params?: unknown
  result?: unknown
  attempt?: number
  callback?: unknown
  secret?: string
  at?: Date
  headers?: Record<string, string>
  /** The body as it is, instead of one made of the parts. */
  body?: string
}

/** A call as the server makes it, or with something wrong about it. */
export function callOf(parts: CallParts = {}): Request {
  const { key = 'key-1', secret = SECRET, at = new Date(), headers = {} } = parts
  const { operation = 'execute', action = 'act', params = {}, attempt = 1, result, callback } = parts
  const body = parts.body ?? JSON.stringify({ operation, action, runId: 'run_1', attempt, params, result, callback })
  return new Request('http://service.example/', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': key,
      'webhook-id': key,
      'webhook-timestamp': `${Math.floor(at.getTime() / 1000)}`,
      'webhook-signature': new Webhook(secret).sign(key, at, body),
      ...headers,
    },
    body,
  })
}

export async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  return { status: response.status, body: await response.json() }
}
