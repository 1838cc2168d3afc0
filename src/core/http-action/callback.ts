import { type InnerVerdict, KNOWN } from '../effect.ts'
import { fromProblem, type Verdict } from './answer.ts'

/** How a service may end what it has accepted. */
export type CallbackOutcome = 'complete' | 'fail'

/** What is known of the calls under one key. */
export interface CallbackState {
  /** How one of them ended; a success before a failure. */
  readonly outcome: CallbackOutcome | null
  readonly body: unknown
  /** The last progress. */
  readonly progress: unknown
  /** The latest deadline of those that were accepted and have not ended; null: there is none. */
  readonly pendingUntil: Date | null
}

/** How a call ended, as its service said later; `undefined` where it has not. */
export function verdictOfCallback({
  outcome,
  body,
}: CallbackState): Exclude<Verdict, { kind: 'accepted' }> | undefined {
  if (outcome === null) return undefined
  if (outcome === 'complete') return { kind: 'result', value: body }
  const problem = isObject(body) ? body : {}
  const { status = 422 } = problem
  const described = fromProblem(typeof status === 'number' ? status : 422, problem)
  const message = described.message.startsWith('The service answered')
    ? 'The service said that it failed'
    : described.message
  const code = described.code.startsWith('HTTP_') ? 'ACTION_FAILED' : described.code
  const failure = { ...described, code, message }
  if (problem.retryable !== true) return { kind: 'permanent', ...failure }
  return { kind: 'again', ...failure, retryAfterMs: undefined, nothingDone: true }
}

/**
 * What is known by callbacks of an effect whose outcome was lost; `undefined`: nothing.
 * @param pending whether a service is at it, and has time left.
 */
export function probeByCallback({ outcome, body }: CallbackState, pending: boolean): InnerVerdict<unknown> | undefined {
  if (outcome === 'complete') return { outcome: 'succeeded', result: body }
  return outcome === 'fail' || pending ? { outcome: KNOWN } : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
