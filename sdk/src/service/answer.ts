import { NonRetryableError, RetryAfterError } from '../handler-errors.ts'

/** An answer as it is sent, and as a store keeps it. */
export interface StoredAnswer {
  readonly status: number
  /** JSON text. */
  readonly body: string
}

/** RFC 9457. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail?: string
  readonly [extension: string]: unknown
}

/** Why a call was refused or failed; answered as problem details. */
export class Refused extends Error {
  readonly problem: Problem
  readonly retryAfterMs: number | undefined

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.title)
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }
}

export function refuse(status: number, code: string, title: string, more: object = {}): Refused {
  return new Refused({ status, code, title, ...more })
}

/** What a function returned. Returning nothing is returning null. */
export function answerOf(result: unknown): StoredAnswer {
  return { status: 200, body: JSON.stringify(result ?? null) }
}

export function problemAnswer(problem: Problem): StoredAnswer {
  return { status: problem.status, body: JSON.stringify({ type: 'about:blank', ...problem }) }
}

/** The failure that stands, whoever asks again; `undefined` where asking again may help. */
export function permanentAnswer(thrown: unknown): StoredAnswer | undefined {
  if (!(thrown instanceof NonRetryableError)) return undefined
  const { code, message, details } = thrown
  return problemAnswer({ status: 422, code, title: message, ...(details !== undefined && { details }) })
}

/** A failure that asking again may repair. Who asks has proven who it is, so that it may know what went wrong. */
export function refusalOf(thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown
  if (thrown instanceof RetryAfterError) {
    const { code, message, details, retryAfterMs } = thrown
    return new Refused({ status: 503, code, title: message, ...(details !== undefined && { details }) }, retryAfterMs)
  }
  const title = thrown instanceof Error ? thrown.message : String(thrown)
  return refuse(500, 'SERVICE_FAILED', title || 'The function failed')
}

export function toResponse({ status, body }: StoredAnswer, retryAfterMs?: number): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': status < 300 ? 'application/json' : 'application/problem+json',
      ...(retryAfterMs !== undefined && { 'retry-after': `${Math.ceil(retryAfterMs / 1000)}` }),
    },
  })
}
