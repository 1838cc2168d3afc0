import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import canonicalize from 'canonicalize'
import { OutcomeUnknownError } from '../core/errors.ts'
import type { Verdict } from '../core/http-action/answer.ts'
import { type CallbackOutcome, type CallbackState, verdictOfCallback } from '../core/http-action/callback.ts'
import { bucketOf, callbackId, callbackTopic, parseCallbackId, parseRunId, showCallbackId } from '../core/ids.ts'
import {
  acceptCallback,
  type CallbackKey,
  type CallbackPlace,
  callbackById,
  callbackStates,
  endCallback,
  offerCallback,
  recordCallbackProgress,
  type StoredCallback,
  takeFailures,
} from '../db/callbacks.ts'
import type { Database } from '../db/client.ts'
import type { Hub } from '../events/hub.ts'
import type { InnerContext } from '../executor/define-action.ts'
import { whileUnavailable } from '../executor/submissions.ts'
import type { CallbackWaits } from './callback-waits.ts'
import type { Message } from './message.ts'

/** A callback that is offered with a call. */
export interface OfferedCallback {
  readonly place: CallbackPlace
  readonly shown: NonNullable<Message['callback']>
}

/** What names the calls of one intent. */
type OneCall = Pick<InnerContext<unknown>, 'runId' | 'idempotencyKey' | 'signal'>

type CallbackVerdict = Exclude<Verdict, { kind: 'accepted' }>

/** What came of a callback that a service made. */
export type Received = 'recorded' | 'unknown' | 'ended-otherwise' | 'overdue'

/** Offers callbacks with calls, and takes them in when services make them. */
export class Callbacks {
  private readonly db: Database
  private readonly hub: Hub
  private readonly waits: CallbackWaits
  private readonly baseUrl: Promise<string>
  private readonly unavailableMs: number

  /**
   * @param baseUrl where services reach this server; known once it listens.
   * @param unavailableMs how long a database that is away is waited for.
   */
  constructor(db: Database, hub: Hub, waits: CallbackWaits, baseUrl: Promise<string>, unavailableMs: number) {
    this.db = db
    this.hub = hub
    this.waits = waits
    this.baseUrl = baseUrl
    this.unavailableMs = unavailableMs
  }

  /** Records a callback for this attempt's call before the call is made, so that none comes that nobody knows. */
  async offer(context: InnerContext<unknown>, deadlineMs: number): Promise<OfferedCallback> {
    const { bucket, runId, key } = keyOf(context)
    const id = callbackId(runId, key, context.attempt)
    const token = randomBytes(32).toString('base64url')
    const base = await this.baseUrl
    const place = { bucket, id }
    const { attempt } = context
    const hash = sha256(token).toString('hex')
    const deadline = await offerCallback(this.db, { ...place, runId, attempt, key, token: hash, deadlineMs })
    const url = `${base}/callbacks/${showCallbackId(id)}`
    return { place, shown: { url, token, deadline: deadline.toISOString() } }
  }

  /** The service has said that it will finish later. */
  async accept({ place }: OfferedCallback, { signal }: OneCall): Promise<void> {
    await this.surely(signal, () => acceptCallback(this.db, place))
  }

  /** What is known of earlier calls under the same key: those of attempts that this server, or another, did not survive. */
  async earlier(context: OneCall): Promise<CallbackState | undefined> {
    const key = keyOf(context)
    const states = await this.surely(context.signal, () => callbackStates(this.db, [key]))
    return states.get(key.key)
  }

  /** Whether a service is at it, and has time left. */
  isPending({ pendingUntil }: CallbackState): boolean {
    return pendingUntil !== null && pendingUntil.getTime() > this.db.clock.nowMs()
  }

  /** How a call ended; `undefined` where it has not. With a failure the attempt is about to fail, and the next one is to ask again. */
  async takeUp(state: CallbackState, context: InnerContext<unknown>): Promise<CallbackVerdict | undefined> {
    if (state.outcome === 'fail')
      await this.surely(context.signal, () => takeFailures(this.db, keyOf(context), context.attempt))
    return verdictOfCallback(state)
  }

  /** Waits until the service has said how it ended. */
  async wait(context: InnerContext<unknown>): Promise<CallbackVerdict> {
    const state = await this.waits.until(keyOf(context), context.signal, (progress) => context.heartbeat(progress))
    return (
      (await this.takeUp(state, context)) ?? {
        kind: 'unclear',
        code: 'CALLBACK_OVERDUE',
        message: 'The service answered 202, but has not called back before the deadline',
        details: undefined,
      }
    )
  }

  /** The service says how it ended. Saying the same again changes nothing. */
  async end(shown: string, token: string, outcome: CallbackOutcome, body: unknown): Promise<Received> {
    const found = await this.open(shown, token)
    if (!found) return 'unknown'
    if (!(await endCallback(this.db, found.place, outcome, JSON.stringify(body)))) {
      const now = await callbackById(this.db, found.place)
      if (now?.outcome === outcome && canonicalize(now.body) === canonicalize(body)) return 'recorded'
      return now?.outcome === null ? 'overdue' : 'ended-otherwise'
    }
    this.announce(found.stored)
    return 'recorded'
  }

  /** The service says how far it has come. */
  async beat(shown: string, token: string, progress: unknown): Promise<Received> {
    const found = await this.open(shown, token)
    if (!found) return 'unknown'
    if (!(await recordCallbackProgress(this.db, found.place, JSON.stringify(progress))))
      return found.stored.outcome === null ? 'overdue' : 'ended-otherwise'
    this.announce(found.stored)
    return 'recorded'
  }

  private async open(
    shown: string,
    token: string,
  ): Promise<{ place: CallbackPlace; stored: StoredCallback } | undefined> {
    const id = parseCallbackId(shown)
    if (id === undefined) return undefined
    const place = { bucket: bucketOf(id), id }
    const stored = await callbackById(this.db, place)
    return stored && timingSafeEqual(stored.token, sha256(token)) ? { place, stored } : undefined
  }

  /**
   * Carries out a statement that may be repeated, while a service has the call, or may have it. Where that fails, nobody can say
   * that the call has.
   */
  private async surely<T>(signal: AbortSignal, statement: () => Promise<T>): Promise<T> {
    try {
      return await whileUnavailable(this.unavailableMs, async () => {
        signal.throwIfAborted()
        return await statement()
      })
    } catch (error) {
      signal.throwIfAborted()
      const message = 'The service may be at it, but what is known of its call could not be recorded or read'
      throw new OutcomeUnknownError(message, { code: 'CALLBACK_UNKNOWN', cause: error })
    }
  }

  private announce({ runId, key }: StoredCallback): void {
    this.hub.announce(callbackTopic(runId, key))
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function keyOf({ runId, idempotencyKey }: OneCall): CallbackKey {
  const id = parseRunId(runId)
  if (id === undefined) throw new Error(`${runId} is no id of a run`)
  return { bucket: bucketOf(id), runId: id, key: idempotencyKey }
}
