import type { DoOptions } from '../types.ts'
import type { InputOf, OutputOf, Schema } from './schema.ts'

/** What every function gets. */
interface CallContext<P> {
  /** As the params schema leaves them. */
  readonly params: P
  /** The key to pass to the system that the function calls: the same for every attempt of one intent. */
  readonly idempotencyKey: string
  /** `run_…` */
  readonly runId: string
  /**
   * Aborted when the attempt times out, the run is canceled, the lease is lost or the worker stops; the `code` of its reason says
   * which. Pass it to `fetch`.
   */
  readonly signal: AbortSignal
}

/** What `run` gets. */
export interface RunContext<P = unknown> extends CallContext<P> {
  /** 1 for the first attempt of the run; goes on counting over an operator's retry. */
  readonly attempt: number
  /**
   * Records how far a long attempt has come: what was last recorded is `lastHeartbeat` of the next one. At most one a second is
   * sent, and always the last. Throws a `TypeError` for what is no JSON or takes over 64 KiB.
   */
  readonly heartbeat: (progress: unknown) => void
  /** The last progress that an earlier attempt recorded; `undefined` when there is none. */
  readonly lastHeartbeat: unknown
}

/** What `compensate` gets: what was done, and a key of its own. */
export interface CompensateContext<P = unknown, R = unknown> extends CallContext<P> {
  readonly attempt: number
  /** What `run` gave. */
  readonly result: R
}

/** What `probe` gets: it looks, and changes nothing. */
export type ProbeContext<P = unknown> = CallContext<P>

/** What a probe found out about an effect. */
export type ProbeVerdict<R = unknown> =
  /** It happened; this is its result. */
  | { readonly outcome: 'succeeded'; readonly result: R }
  /** It did not happen and will not: `run` may be called again. */
  | { readonly outcome: 'not-executed' }
  /** Nobody can tell: the run stays INDETERMINATE until an operator decides. */
  | { readonly outcome: 'unknown' }

/** How failures are repeated. What is left out has the server's default. */
export interface RetryOptions {
  /** In all, the first included; default 3. */
  readonly maxAttempts?: number
  readonly backoff?: {
    /** Milliseconds before the second attempt; default 500. */
    readonly initialMs?: number
    /** Each further wait is this many times longer; default 2. */
    readonly factor?: number
    /** No wait is longer than this many milliseconds; default 60,000. */
    readonly maxMs?: number
    /** A random part of the wait; default true. */
    readonly jitter?: boolean
  }
  /** Milliseconds from the first attempt after which no further one begins; default: no such limit. */
  readonly deadlineMs?: number
}

/** One action of a worker. `PS` and `RS` are its schemas. */
export interface WorkerAction<PS = unknown, RS = unknown> {
  readonly description?: string
  /** Any Standard Schema (zod, valibot, arktype, …). Absent: any JSON value. */
  readonly params?: PS
  /** Checked before a result is reported. Absent: any JSON value. */
  readonly result?: RS
  /** What a lost outcome means: `idempotent` (default) is executed again with the same key; `unsafe` never by itself. */
  readonly effect?: 'idempotent' | 'unsafe'
  readonly retry?: RetryOptions
  /** Milliseconds that one attempt may take; default 60,000. */
  readonly timeoutMs?: number
  /** How many runs of this action this worker executes at once; default: as many as of all. */
  readonly concurrency?: number
  /** Executes the action. Returning nothing is returning null. */
  run(context: RunContext<OutputOf<PS>>): Returned<RS>
  /** Undoes what `run` did. */
  compensate?(context: CompensateContext<OutputOf<PS>, OutputOf<RS>>): Promise<void> | void
  /** Finds out whether an effect happened whose outcome was lost. Only for `effect: 'unsafe'`. */
  probe?(context: ProbeContext<OutputOf<PS>>): Promise<ProbeVerdict<InputOf<RS>>> | ProbeVerdict<InputOf<RS>>
}

type Returned<RS> = RS extends Schema ? Promise<InputOf<RS>> | InputOf<RS> : unknown

/** Schemas by the names of actions, where nothing is known of them. */
export type AnySchemas = Readonly<Record<string, unknown>>

/** Actions by name: each is typed by its own schemas. The second part is there for the inference of `RS` alone. */
export type WorkerActions<PS, RS> = {
  readonly [N in keyof PS]: WorkerAction<PS[N], N extends keyof RS ? RS[N] : unknown>
} & { readonly [N in keyof RS]: { readonly result?: RS[N] } & { readonly [M in keyof WorkerAction]?: unknown } }

/** At what the worker was when something went wrong. */
export type WorkerPhase = 'register' | 'claim' | 'renew' | 'report' | 'stop' | 'run' | 'compensate' | 'probe'

export interface WorkerOptions<PS = AnySchemas, RS = AnySchemas>
  extends Pick<DoOptions, 'apiKey' | 'url' | 'fetch' | 'headers'> {
  /** For people: where its attempts are listed; default `worker`. */
  readonly name?: string
  /** How many runs it executes at once; default 10. */
  readonly concurrency?: number
  /** Milliseconds that `stop` lets functions finish; default 10,000. */
  readonly shutdownMs?: number
  /** By name: lower-case letters, digits, `.`, `_`, `-`; starts with a letter or digit; 1 to 100 characters. */
  readonly actions: WorkerActions<PS, RS>
  /** Told of what the worker rides out (lost connections, refused heartbeats), and of what functions throw. Default: nothing. */
  readonly onError?: (error: unknown, about: { readonly phase: WorkerPhase; readonly runId?: string }) => void
}
