import type { DoError } from './errors.ts'

export type RunStatus =
  | 'PENDING'
  | 'SCHEDULED'
  | 'QUEUED'
  | 'RUNNING'
  | 'WAITING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELED'
  | 'SKIPPED'
  | 'INDETERMINATE'
  | 'COMPENSATING'
  | 'COMPENSATED'

/** The failure that a run or an attempt has recorded. */
export interface RunError {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details: unknown
}

/** A run as it stood when the server answered. Times are ISO 8601 in UTC. */
export interface Run<R = unknown> {
  readonly kind: 'ACTION' | 'WORKFLOW'
  /** `run_…` */
  readonly id: string
  readonly name: string
  readonly status: RunStatus
  readonly idempotencyKey: string | null
  readonly params: unknown
  /** Null until the run has succeeded. */
  readonly result: R | null
  readonly error: RunError | null
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** Where `run.watch(id, { after: lastSeq })` goes on without repeating anything. */
  readonly lastSeq: number
}

/** One transition of a run. */
export interface RunEvent {
  /** The run that changed: the one watched, or a step of it. */
  readonly runId: string
  /** Grows along the stream; has gaps in the stream of a step. */
  readonly seq: number
  readonly at: string
  /** The step's key; null for the root. */
  readonly step: string | null
  readonly from: RunStatus | null
  readonly to: RunStatus
  readonly reason: string
  readonly attempt: number | null
  readonly error: RunError | null
  readonly actor: string | null
  readonly data: unknown
}

/** A run's id, or a run from an earlier answer, which brings the type of its result along. */
export type RunRef<R = unknown> = string | Run<R>

/** An answer without success. What is known of the run is there all the same. */
interface Failure {
  readonly result: undefined
  readonly error: DoError
  readonly runId: string | undefined
  readonly run: Run | undefined
}

/** The outcome of a run: its result, or why there is none. */
export type Outcome<R = unknown> =
  | { readonly result: R; readonly error: undefined; readonly runId: string; readonly run: Run<R> }
  | Failure

/** An outcome, and whether an earlier call with the same key had already started the run. */
export type ExecuteOutcome<R = unknown> =
  | {
      readonly result: R
      readonly error: undefined
      readonly runId: string
      readonly run: Run<R>
      readonly replayed: boolean
    }
  | (Failure & { readonly replayed: boolean | undefined })

/** The answer to a request that starts or changes a run. */
export type RunAnswer<R = unknown> =
  | { readonly run: Run<R>; readonly runId: string; readonly replayed: boolean; readonly error: undefined }
  | {
      readonly run: undefined
      readonly runId: string | undefined
      readonly replayed: undefined
      readonly error: DoError
    }

/** The answer to a look at a run. */
export type FoundRun<R = unknown> =
  | { readonly run: Run<R>; readonly error: undefined }
  | { readonly run: undefined; readonly error: DoError }

/** The options of the client. */
export interface DoOptions {
  /** Sent as `Authorization: Bearer …`; default the environment's `DO_API_KEY`. */
  apiKey?: string | undefined
  /** The GraphQL endpoint, where a URL without a path means `/graphql`; default the environment's `DO_URL`, else `http://localhost:4000/graphql`. */
  url?: string | URL | undefined
  /** Takes the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds that a call may take in all, waiting for the outcome and repeating lost requests included; default 60,000. */
  timeout?: number | undefined
  /** How often one lost request is repeated; default 6, which spreads over about 6 s (12.6 s at most). */
  retries?: number | undefined
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>> | undefined
}
