import { backoffMs, retryAfterMs, sleep } from '../time.ts'
import type { Problem } from './answer.ts'
import type { Callback } from './call.ts'

export interface CallbackOptions {
  /** The global one when absent. */
  fetch?: typeof fetch
  /** How often a request that gets lost is repeated; default 6. */
  retries?: number
}

/** The server did not take a callback: it is overdue, or it was said before that it ended otherwise. */
export class CallbackRefused extends Error {
  override readonly name = 'CallbackRefused'
  readonly status: number
  readonly code: string | undefined

  constructor(status: number, problem: Partial<Problem> | undefined) {
    super(problem?.title ?? `The server answered ${status}`)
    this.status = status
    this.code = problem?.code
  }
}

/** Says that what was accepted has succeeded. Saying the same again changes nothing. Rejects with `CallbackRefused`. */
export async function finish(callback: Callback, result: unknown, options?: CallbackOptions): Promise<void> {
  await post(callback, 'complete', result, options)
}

/** Why it failed. `retryable`: the server may call again, as the action's retry policy allows. */
export interface LateFailure {
  code: string
  title: string
  detail?: string
  retryable?: boolean
  [extension: string]: unknown
}

/** Says that what was accepted has failed. Rejects with `CallbackRefused`. */
export async function fail(callback: Callback, failure: LateFailure, options?: CallbackOptions): Promise<void> {
  await post(callback, 'fail', failure, options)
}

/** Says how far it has come. Rejects with `CallbackRefused`. */
export async function beat(callback: Callback, progress: unknown, options?: CallbackOptions): Promise<void> {
  await post(callback, 'heartbeat', progress, options)
}

async function post(
  { url, token }: Callback,
  verb: string,
  body: unknown,
  { fetch: request = globalThis.fetch, retries = 6 }: CallbackOptions = {},
): Promise<void> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body ?? null),
  }
  for (let failures = 1; ; failures++) {
    const answer = await request(`${url}/${verb}`, init).catch((error: unknown) => error as Error)
    if (answer instanceof Response && answer.ok) return
    const passing = !(answer instanceof Response) || answer.status === 429 || answer.status >= 500
    if (!passing) throw new CallbackRefused(answer.status, await readProblem(answer))
    if (failures > retries) throw answer instanceof Response ? new CallbackRefused(answer.status, undefined) : answer
    const asked = answer instanceof Response ? retryAfterMs(answer.headers.get('retry-after')) : undefined
    await sleep(asked ?? backoffMs(failures))
  }
}

async function readProblem(response: Response): Promise<Partial<Problem> | undefined> {
  return await response.json().catch(() => undefined)
}
