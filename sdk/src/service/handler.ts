import { answerOf, permanentAnswer, problemAnswer, refusalOf, refuse, type StoredAnswer, toResponse } from './answer.ts'
import { type Callback, readCall, type Verification, type VerifiedCall } from './call.ts'
import { checkParams, type Schema } from './schema.ts'
import { importSecret, type SigningKey } from './signature.ts'
import { type AnswerStore, memoryStore, type Work } from './store.ts'

/** What a function gets. */
export interface ActionContext<P = unknown, Tx = undefined> {
  readonly params: P
  /** The same for every attempt of one intent. */
  readonly idempotencyKey: string
  readonly runId: string
  readonly attempt: number
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
  /** What the store gives to write through; `undefined` with the one in memory. */
  readonly tx: Tx
  /** Where to say how it ended, when this function answers `LATER`; absent where the action has none. */
  readonly callback: Callback | undefined
}

/** How this service executes one action. `P` is what its params schema gives. */
export interface ServiceAction<P = unknown, Tx = undefined> {
  /** Any Standard Schema (zod, valibot, arktype, …). Absent: any JSON value. */
  params?: Schema<P>
  /** Returns the result, any JSON value, or `LATER`. */
  run(context: ActionContext<P, Tx>): unknown
  /** Undoes what `run` did; `result` is what that gave. */
  compensate?(context: ActionContext<P, Tx> & { readonly result: unknown }): Promise<void> | void
  /** Says whether the effect of this key happened. Outside of the store: `tx` is undefined. */
  probe?(context: ActionContext<P>): Promise<Found> | Found
}

/** The actions of a service by name, each with params of its own. */
export type ServiceActions<Tx, Params> = { readonly [Name in keyof Params]: ServiceAction<Params[Name], Tx> }

/** What is known of an effect. */
export type Found = { outcome: 'succeeded'; result: unknown } | { outcome: 'not-executed' } | { outcome: 'unknown' }

/** The answer of a function that finishes later: 202. It then calls back with `finish`, `fail` or `beat`. */
export const LATER: unique symbol = Symbol('later')

export interface ActionHandlerOptions<Tx, Params = Readonly<Record<string, unknown>>> {
  /** By the names under which they are called. */
  actions: ServiceActions<Tx, Params>
  /** `whsec_…`; several while they are rotated. */
  secret: string | readonly string[]
  /** Remembers answers; in memory when absent. */
  store?: AnswerStore<Tx>
  /** How far the two clocks may be apart, in milliseconds; default five minutes. */
  toleranceMs?: number
  /** Larger calls are refused; default 8 MiB. */
  maxBodyBytes?: number
  /** Told what a function threw that it did not say to be permanent. */
  onError?: (error: unknown, call: { action: string; runId: string }) => void
  /** Milliseconds since 1970; for tests. */
  now?: () => number
}

export type ActionHandler = (request: Request) => Promise<Response>

/**
 * Answers the calls of HTTP actions: verifies signature and time, validates params, runs the function once for each key, and
 * answers with its result or with problem details. Throws a `TypeError` where a secret is none. Never rejects.
 */
export function createActionHandler<Tx = undefined, Params = Readonly<Record<string, unknown>>>(
  options: ActionHandlerOptions<Tx, Params>,
): ActionHandler {
  const actions: ServiceActions<Tx, Readonly<Record<string, unknown>>> = { ...options.actions }
  const { onError } = options
  const keys = importAll(options.secret)
  const store = options.store ?? (memoryStore() as AnswerStore<Tx>)
  return async (request) => {
    try {
      const { toleranceMs = 300_000, maxBodyBytes = 8_388_608, now = Date.now } = options
      const verification: Verification = { keys: await keys, toleranceMs, maxBodyBytes, now }
      const call = await readCall(request, verification)
      return toResponse(await answer({ actions, ...(onError && { onError }) }, store, call, request.signal))
    } catch (thrown) {
      const { problem, retryAfterMs } = refusalOf(thrown)
      return toResponse(problemAnswer(problem), retryAfterMs)
    }
  }
}

function importAll(secret: string | readonly string[]): Promise<SigningKey[]> {
  const secrets = [secret].flat()
  if (secrets.length === 0 || !secrets.every((each) => /^whsec_[A-Za-z0-9+/=]{32,}$/.test(each)))
    throw new TypeError('createActionHandler: secret must be whsec_ and 24 bytes or more in base64')
  const imported = Promise.all(secrets.map(importSecret))
  // whoever calls hears of it
  imported.catch(() => {})
  return imported
}

async function answer<Tx>(
  { actions, onError }: Pick<ActionHandlerOptions<Tx>, 'actions' | 'onError'>,
  store: AnswerStore<Tx>,
  call: VerifiedCall,
  signal: AbortSignal,
): Promise<StoredAnswer> {
  const { action: name, operation, idempotencyKey } = call
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) throw refuse(404, 'ACTION_NOT_FOUND', `This service has no action ${JSON.stringify(name)}`)
  const params = await checkParams(action.params, call.params)
  // it only looks, and what it finds changes
  if (operation === 'probe') return await probe(action, { ...call, params, tx: undefined, signal })
  const work: Work<Tx> = Object.assign(
    async (tx: Tx) => await execute(action, call, { ...call, params, tx, signal }).catch((thrown) => reported(thrown)),
    { permanent: permanentAnswer },
  )
  const reported = (thrown: unknown): never => {
    if (!permanentAnswer(thrown)) onError?.(thrown, call)
    throw thrown
  }
  const kept = await store.once(idempotencyKey, await fingerprintOf(call), work)
  if (kept.kind === 'answer') return kept.answer
  if (kept.kind === 'mismatch')
    throw refuse(422, 'IDEMPOTENCY_MISMATCH', 'The key was used for a call with other params')
  const busy = refuse(409, 'IN_PROGRESS', 'A call with this key is under way')
  throw Object.assign(busy, { retryAfterMs: 1_000 })
}

async function execute<Tx>(
  action: ServiceAction<unknown, Tx>,
  call: VerifiedCall,
  context: ActionContext<unknown, Tx>,
): Promise<StoredAnswer> {
  if (call.operation === 'execute') {
    const result = await action.run(context)
    return result === LATER ? { status: 202, body: 'null' } : answerOf(result)
  }
  if (!action.compensate) throw refuse(404, 'NOT_COMPENSABLE', 'The action cannot be undone by this service')
  await action.compensate({ ...context, result: call.result })
  return answerOf(null)
}

async function probe<Tx>(action: ServiceAction<unknown, Tx>, context: ActionContext): Promise<StoredAnswer> {
  return answerOf(action.probe ? await action.probe(context) : { outcome: 'unknown' })
}

/** Two calls are the same where they ask for the same, whatever attempt they belong to. */
async function fingerprintOf({ action, operation, params }: VerifiedCall): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([operation, action, params ?? null]))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
