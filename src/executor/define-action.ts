import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Logger } from 'pino'
import { EFFECTS, type Effect, type InnerVerdict, type ProbeVerdict } from '../core/effect.ts'
import type { HttpTarget } from '../core/http-action/target.ts'
import { type RetryOptions, type RetryPolicy, retryPolicy } from '../core/retry.ts'
import type { UserTransaction } from '../db/client.ts'

/** What every handler gets. `P` is the output type of the params schema. */
export interface HandlerContext<P> {
  readonly params: P
  /** The key to pass to the system that the handler calls: the same for every attempt of one intent. */
  readonly idempotencyKey: string
  /** `run_…`, as the API shows it. */
  readonly runId: string
  /** 1 for the first attempt of the run; goes on counting over an operator's retry. */
  readonly attempt: number
  /** Aborted when the attempt times out, the run is canceled, the lease is lost or the server stops. Pass it to `fetch`. */
  readonly signal: AbortSignal
  /** Writes to the server's log, with the run's id in every line. */
  readonly log: Logger
  /**
   * Records how far a long attempt has come. What was last recorded is `lastHeartbeat` of the next attempt, so that it
   * can go on from there. At most one write a second reaches the database; the last value always does.
   * @param progress any JSON value of at most 64 KiB.
   */
  heartbeat(progress: unknown): void
  /** The last progress that an earlier attempt recorded; `undefined` when there is none. */
  readonly lastHeartbeat: unknown
}

/** What the handler of a `transactional` action gets besides: a Drizzle transaction in the database of the runs. */
export interface TransactionalContext<P> extends HandlerContext<P> {
  readonly tx: UserTransaction
}

/** What a handler of the server's own gets besides. */
export interface InnerContext<P> extends HandlerContext<P> {
  /** Of the action, as the step that it is called by may have changed it. */
  readonly effect: Effect
  readonly retry: RetryPolicy
  /** Gives back the slot of the attempt: from now on it only waits. */
  yieldSlot(): void
}

/** What a probe gets: it looks, and changes nothing. */
export type ProbeContext<P> = Pick<HandlerContext<P>, 'params' | 'idempotencyKey' | 'runId' | 'signal' | 'log'>

/** What a compensation gets: what was done, and a key of its own. */
export interface CompensateContext<P, R> extends Omit<HandlerContext<P>, 'heartbeat' | 'lastHeartbeat'> {
  readonly result: R
}

export type Output<S extends StandardSchemaV1 | undefined, Fallback> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : Fallback
export type Input<S extends StandardSchemaV1 | undefined, Fallback> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<S>
  : Fallback

type ContextOf<E extends Effect, P> = E extends 'transactional' ? TransactionalContext<P> : HandlerContext<P>

export interface ActionOptions<
  PS extends StandardSchemaV1 | undefined,
  RS extends StandardSchemaV1 | undefined,
  E extends Effect,
> {
  description?: string
  /** Recorded with each run; informs people, decides nothing. Default "1". */
  version?: string
  /** Any Standard Schema (zod, valibot, arktype, …). Absent: any JSON value. */
  params?: PS
  /** Checked before a result is stored. Absent: any JSON value. */
  result?: RS
  /** What a lost outcome means; default `idempotent`. */
  effect?: E
  retry?: RetryOptions
  /** Milliseconds that one attempt may take; default 60,000. */
  timeoutMs?: number
  /** How many runs of this action one worker executes at once; default: the worker's own limit. */
  concurrency?: number
  run(context: ContextOf<E, Output<PS, unknown>>): RunReturn<RS>
  /** Finds out whether an `unsafe` effect happened. Only for `effect: 'unsafe'`. */
  probe?(context: ProbeContext<Output<PS, unknown>>): Promise<ProbeVerdict<Input<RS, unknown>>>
  /** Undoes what `run` did. */
  compensate?(context: CompensateContext<Output<PS, unknown>, Output<RS, unknown>>): Promise<void> | void
}

/** A handler without a result schema may return any JSON value, or nothing (recorded as null). */
type RunReturn<RS extends StandardSchemaV1 | undefined> = RS extends StandardSchemaV1
  ? Promise<StandardSchemaV1.InferInput<RS>> | StandardSchemaV1.InferInput<RS>
  : unknown

/** A defined action. The type parameters carry what callers give and get; the members are for the executor. */
export interface Action<N extends string = string, P = unknown, R = unknown> {
  readonly kind: 'action'
  readonly name: N
  readonly description: string | undefined
  readonly version: string
  readonly effect: Effect
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly concurrency: number | undefined
  readonly paramsSchema: StandardSchemaV1 | undefined
  readonly resultSchema: StandardSchemaV1 | undefined
  readonly run: (context: TransactionalContext<unknown>) => unknown
  readonly probe: ((context: ProbeContext<unknown>) => Promise<InnerVerdict<unknown>>) | undefined
  readonly compensate: ((context: CompensateContext<unknown, unknown>) => Promise<void> | void) | undefined
  /** Where the service is that executes it; absent: it is executed in the process. */
  readonly http?: HttpTarget | undefined
  /** Remote workers pull its runs; this process never executes it. */
  readonly remote?: true
  /** Types only, never set: what a caller gives and what it gets back. */
  readonly '~types'?: { params: P; result: R }
}

const NAME = /^[a-z0-9][a-z0-9._-]*$/

/**
 * Defines an action. Throws a `TypeError` or `RangeError` that names the action and the member when the definition makes no sense.
 * @param name lower-case letters, digits, `.`, `_`, `-`; starts with a letter or digit; 1 to 100 characters.
 */
export function action<
  const N extends string,
  PS extends StandardSchemaV1 | undefined = undefined,
  RS extends StandardSchemaV1 | undefined = undefined,
  const E extends Effect = 'idempotent',
>(name: N, options: ActionOptions<PS, RS, E>): Action<N, Input<PS, unknown>, Output<RS, unknown>> {
  const effect: Effect = options.effect ?? 'idempotent'
  const fail = (problem: string): never => {
    throw new TypeError(`action ${JSON.stringify(name)}: ${problem}`)
  }
  if (typeof name !== 'string' || !NAME.test(name) || name.length > 100)
    fail('a name is 1 to 100 of a-z, 0-9, ".", "_" and "-", and starts with a letter or digit')
  if (!EFFECTS.includes(effect)) fail(`effect is ${JSON.stringify(effect)}; it must be one of ${EFFECTS.join(', ')}`)
  if (options.probe && effect !== 'unsafe')
    fail(`probe belongs to effect "unsafe" only; a lost outcome of "${effect}" is repaired by running again`)
  if (typeof options.run !== 'function') fail('run must be a function')
  for (const side of ['params', 'result'] as const)
    if (options[side] !== undefined && typeof options[side]?.['~standard']?.validate !== 'function')
      fail(`${side} must be a Standard Schema (zod, valibot, arktype, …)`)
  const timeoutMs = options.timeoutMs ?? 60_000
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
    fail(`timeoutMs is ${timeoutMs}; it must be a whole number of 1 to ${MAX_TIMEOUT_MS}`)
  const { concurrency } = options
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1))
    fail(`concurrency is ${concurrency}; it must be a whole number of 1 or more`)
  return {
    kind: 'action',
    name,
    description: options.description,
    version: options.version ?? '1',
    effect,
    retry: withName(name, () => retryPolicy(options.retry)),
    timeoutMs,
    concurrency,
    paramsSchema: options.params,
    resultSchema: options.result,
    run: options.run as Action['run'],
    probe: options.probe as Action['probe'],
    compensate: options.compensate as Action['compensate'],
  }
}

/** setTimeout's own limit. */
const MAX_TIMEOUT_MS = 2_147_483_647

function withName<T>(name: string, build: () => T): T {
  try {
    return build()
  } catch (error) {
    throw new RangeError(`action ${JSON.stringify(name)}: ${(error as Error).message}`)
  }
}
