import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { parseRunId } from '../core/ids.ts'

/** What a service is asked to do. */
type Operation = 'execute' | 'compensate' | 'probe'

/** The body of a call. All that matters to the service is in it, so that the signature covers it. */
export interface Message {
  readonly operation: Operation
  readonly action: string
  readonly runId: string
  /** Absent where a probe asks: it belongs to no one attempt. */
  readonly attempt?: number
  readonly params: unknown
  /** Of what is to be undone. */
  readonly result?: unknown
  /** Where to say how it ended, for a service that answers 202. */
  readonly callback?: { readonly url: string; readonly token: string; readonly deadline: string }
}

/**
 * The headers of a call. `webhook-id` is the idempotency key, so that the signature covers that too: a call that is caught and
 * sent again under another key is refused.
 */
export function headersOf(
  message: Message,
  idempotencyKey: string,
  body: string,
  secrets: readonly string[],
  at: Date,
): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, application/problem+json',
    'user-agent': 'action.do',
    'idempotency-key': idempotencyKey,
    ...(message.attempt !== undefined && { 'action-attempt': `${message.attempt}` }),
    traceparent: traceparentOf(message.runId),
    'webhook-id': idempotencyKey,
    'webhook-timestamp': `${Math.floor(at.getTime() / 1000)}`,
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(idempotencyKey, at, body)).join(' '),
  }
}

/** W3C Trace Context: the run is the trace, each call a span of it. */
function traceparentOf(runId: string): string {
  const trace = parseRunId(runId)?.replaceAll('-', '') ?? randomBytes(16).toString('hex')
  return `00-${trace}-${randomBytes(8).toString('hex')}-01`
}
