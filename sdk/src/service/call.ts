import { refuse } from './answer.ts'
import { isSigned, type SigningKey } from './signature.ts'

/** Where a function says how it ended, after it has answered that it will finish later. */
export interface Callback {
  readonly url: string
  readonly token: string
  /** ISO 8601. */
  readonly deadline: string
}

/** A call that was made by whom it says. */
export interface VerifiedCall {
  readonly idempotencyKey: string
  readonly operation: 'execute' | 'compensate' | 'probe'
  readonly action: string
  readonly runId: string
  readonly attempt: number
  readonly params: unknown
  readonly result: unknown
  readonly callback: Callback | undefined
}

/** What a call is checked against. */
export interface Verification {
  readonly keys: readonly SigningKey[]
  readonly toleranceMs: number
  readonly maxBodyBytes: number
  readonly now: () => number
}

/** Reads a call and verifies its signature and time. Rejects with `Refused`. */
export async function readCall(request: Request, verification: Verification): Promise<VerifiedCall> {
  if (request.method !== 'POST') throw refuse(405, 'METHOD_NOT_ALLOWED', 'Actions are called with POST')
  const id = header(request, 'webhook-id')
  const timestamp = header(request, 'webhook-timestamp')
  const signatures = header(request, 'webhook-signature')
  const body = await readBody(request, verification.maxBodyBytes)
  if (!(await isSigned({ id, timestamp, signatures }, body, verification.keys)))
    throw refuse(401, 'SIGNATURE_INVALID', 'No signature of this call was made with a secret of this service')
  const ageMs = Math.abs(verification.now() - Number(timestamp) * 1000)
  if (!(ageMs <= verification.toleranceMs))
    throw refuse(401, 'TIMESTAMP_OUT_OF_RANGE', 'The call was signed too long ago, or the clocks differ', { ageMs })
  if (unquoted(request.headers.get('idempotency-key') ?? id) !== id)
    throw refuse(400, 'KEY_NOT_SIGNED', 'The Idempotency-Key is not the webhook-id, which is what was signed')
  return { ...parse(body), idempotencyKey: id }
}

function header(request: Request, name: string): string {
  const value = request.headers.get(name)
  if (!value) throw refuse(401, 'SIGNATURE_MISSING', `The call has no ${name}`)
  return value
}

/** The draft of the IETF writes the key as a quoted string. */
function unquoted(key: string): string {
  return key.replace(/^"(.*)"$/, '$1')
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.length
    if (size > maxBytes) {
      await reader?.cancel()
      throw refuse(413, 'BODY_TOO_LARGE', `The call has more than ${maxBytes} bytes`)
    }
    chunks.push(read.value)
  }
  const body = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

function parse(body: Uint8Array): Omit<VerifiedCall, 'idempotencyKey'> {
  const { operation, action, runId, attempt, params, result, callback } = parseObject(body)
  if (operation !== 'execute' && operation !== 'compensate' && operation !== 'probe')
    throw refuse(400, 'BODY_INVALID', 'operation must be execute, compensate or probe')
  if (typeof action !== 'string') throw refuse(400, 'BODY_INVALID', 'action must be a text')
  return {
    operation,
    action,
    runId: String(runId ?? ''),
    attempt: Number(attempt ?? 1),
    params,
    result,
    callback: callback as Callback | undefined,
  }
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  } catch {}
  throw refuse(400, 'BODY_INVALID', 'The body is no JSON object')
}
