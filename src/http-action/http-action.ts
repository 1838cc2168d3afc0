import type { StandardSchemaV1 } from '@standard-schema/spec'
import { MAX_CALLBACK_MS } from '../core/http-action/definition.ts'
import { type HttpTarget, secretProblem, urlProblem } from '../core/http-action/target.ts'
import { type Action, type ActionOptions, action, type Input, type Output } from '../executor/define-action.ts'

/** What `httpAction` takes besides what `action` does. */
export interface HttpActionOptions<PS extends StandardSchemaV1 | undefined, RS extends StandardSchemaV1 | undefined>
  extends Pick<
    ActionOptions<PS, RS, 'idempotent' | 'unsafe'>,
    'description' | 'version' | 'params' | 'result' | 'retry' | 'timeoutMs' | 'concurrency'
  > {
  /** `https://…` or `http://…`; the service is sent a POST. */
  url: string
  /** `whsec_…`: signs the calls. Several while they are rotated: a call is signed with each. */
  secret: string | readonly string[]
  /** What a lost outcome means; default `idempotent`: the service heeds the `Idempotency-Key`. */
  effect?: 'idempotent' | 'unsafe'
  /** The service can say whether an `unsafe` effect happened: it is asked with `"operation": "probe"`. */
  probe?: boolean
  /**
   * The service may answer 202 and finish later: it is given an address and a token to say how it ended, for so many milliseconds.
   * Without, 202 is an outcome that nobody can know.
   */
  callback?: { deadlineMs: number }
  /** The service can undo what it did: it is asked with `"operation": "compensate"`. */
  compensate?: boolean
}

/**
 * Defines an action that a service executes when it is called over HTTP. Runs, attempts, retries and events are those of any
 * action. Throws a `TypeError` or `RangeError` that names the action and the member when the definition makes no sense.
 */
export function httpAction<
  const N extends string,
  PS extends StandardSchemaV1 | undefined = undefined,
  RS extends StandardSchemaV1 | undefined = undefined,
>(name: N, options: HttpActionOptions<PS, RS>): Action<N, Input<PS, unknown>, Output<RS, unknown>> {
  const { url, secret, probe, compensate, callback, timeoutMs = 60_000, ...rest } = options
  const callbackMs = callback && checkDeadline(name, callback.deadlineMs)
  const defined = action(name, {
    ...rest,
    // an attempt lasts until the service has called back
    timeoutMs: timeoutMs + (callbackMs ?? 0),
    run: notServed,
    ...(probe && { probe: notServed }),
    ...(compensate && { compensate: notServed }),
  })
  return { ...defined, http: { ...targetOf(name, url, secret), timeoutMs, callbackMs } }
}

function targetOf(name: string, url: string, secret: string | readonly string[]): Pick<HttpTarget, 'url' | 'secrets'> {
  const secrets = [secret].flat()
  const problems = [
    ['url', urlProblem(url)],
    ['secret', secrets.length === 0 ? 'must be given' : secrets.map(secretProblem).find(Boolean)],
  ]
  for (const [member, problem] of problems)
    if (problem) throw new TypeError(`action ${JSON.stringify(name)}: ${member} ${problem}`)
  return { url, secrets }
}

function checkDeadline(name: string, deadlineMs: number): number {
  if (Number.isSafeInteger(deadlineMs) && deadlineMs >= 1 && deadlineMs <= MAX_CALLBACK_MS) return deadlineMs
  const problem = `callback.deadlineMs is ${deadlineMs}; it must be a whole number of 1 to ${MAX_CALLBACK_MS}`
  throw new TypeError(`action ${JSON.stringify(name)}: ${problem}`)
}

/** The server puts the call of the service in its place. */
function notServed(): never {
  throw new Error('an HTTP action is executed by the server that it is registered with')
}
