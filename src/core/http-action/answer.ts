import { retryAfterMs } from './retry-after.ts'

/** What came back from a service. */
export interface Answer {
  readonly status: number
  /** By lower-case name; of those that came several times, the first. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  /** There was more than the limit. */
  readonly truncated: boolean
}

/** A failure in the words of the service, or in ours where it has none. */
export interface Described {
  readonly code: string
  readonly message: string
  readonly details: unknown
}

/** What an answer means. */
export type Verdict =
  | { readonly kind: 'result'; readonly value: unknown }
  /** 202: the service will say later. */
  | { readonly kind: 'accepted' }
  /** Repeating can help. `nothingDone`: the service says that it has not even begun. */
  | ({ readonly kind: 'again'; readonly retryAfterMs: number | undefined; readonly nothingDone: boolean } & Described)
  | ({ readonly kind: 'permanent' } & Described)
  /** Success was said, but not what came of it. */
  | ({ readonly kind: 'unclear' } & Described)

/** Client errors that time repairs; of these, the ones that are said before anything is begun. */
const AGAIN: ReadonlySet<number> = new Set([408, 409, 425, 429])
const NOTHING_DONE: ReadonlySet<number> = new Set([425, 429, 503])

/** Reads an answer. Pure. */
export function verdictOf(answer: Answer, nowMs: number): Verdict {
  const { status, headers } = answer
  if (status === 202) return { kind: 'accepted' }
  if (status >= 200 && status < 300) return resultOf(answer)
  const described = describe(answer)
  if (!AGAIN.has(status) && status < 500) return { kind: 'permanent', ...described }
  return {
    kind: 'again',
    retryAfterMs: retryAfterMs(headers['retry-after'], headers.date, nowMs),
    nothingDone: NOTHING_DONE.has(status),
    ...described,
  }
}

function resultOf({ status, headers, body, truncated }: Answer): Verdict {
  const unclear = (code: string, message: string): Verdict => ({
    kind: 'unclear',
    code,
    message: `The service answered ${status}, but ${message}`,
    details: { status, contentType: headers['content-type'] },
  })
  if (truncated) return unclear('ANSWER_TOO_LARGE', `with more than ${body.length} bytes`)
  if (body.length === 0) return { kind: 'result', value: null }
  if (!isJson(headers)) return unclear('ANSWER_NOT_JSON', 'not with application/json')
  const parsed = parseJson(body)
  return parsed ? { kind: 'result', ...parsed } : unclear('ANSWER_NOT_JSON', 'its body is not JSON')
}

function isJson(headers: Answer['headers']): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  return type === 'application/json' || /^application\/[a-z0-9.+-]+\+json$/.test(type)
}

function parseJson(body: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) }
  } catch {
    return undefined
  }
}

/** So much of a body that is no problem document is kept for whoever looks at the attempt. */
const SHOWN_BODY = 1_000

function describe(answer: Answer): Described {
  const { status, headers, body } = answer
  const parsed = isJson(headers) && !answer.truncated ? parseJson(body)?.value : undefined
  if (isObject(parsed) && headers['content-type']?.includes('problem+json')) return fromProblem(status, parsed)
  const shown = parsed ?? new TextDecoder().decode(body.subarray(0, SHOWN_BODY))
  const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : ''
  return {
    code: `HTTP_${status}`,
    message: `The service answered ${status}${redirect}`,
    details: { status, ...(headers.location !== undefined && { location: headers.location }), body: shown },
  }
}

/**
 * What RFC 9457 problem details say. The code is their extension `code` if it is a name in capitals, else the last part of
 * `type`, else that of the status.
 */
export function fromProblem(status: number, problem: Readonly<Record<string, unknown>>): Described {
  const { type, title, detail, code } = problem
  const words = [title, detail].filter((text): text is string => typeof text === 'string' && text !== '')
  return {
    code: asCode(code) ?? codeOfType(type) ?? `HTTP_${status}`,
    message: words.join(': ') || `The service answered ${status}`,
    details: problem,
  }
}

function codeOfType(type: unknown): string | undefined {
  if (typeof type !== 'string' || type === 'about:blank') return undefined
  const [last = ''] = type.split(/[/#:]/).slice(-1)
  return asCode(last.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase())
}

function asCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
