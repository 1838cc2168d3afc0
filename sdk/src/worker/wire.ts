/** What goes over the wire, as GraphQL names it. */

/** One attempt of a run, by which a worker and the server speak of it. */
export interface AttemptRef {
  readonly runId: string
  readonly attempt: number
}

/** A run that this worker is to execute, or to undo. */
export interface ClaimedRun extends AttemptRef {
  readonly name: string
  readonly operation: 'EXECUTE' | 'COMPENSATE'
  readonly params: unknown
  /** Of what is to be undone. */
  readonly result: unknown
  readonly idempotencyKey: string
  /** The outcome of an earlier attempt was lost: the probe is asked first. */
  readonly probe: boolean
  /** With `probe`: where it did not happen, no attempt is left to do it. */
  readonly lastAttempt: boolean
  readonly timeoutMs: number
  readonly lastHeartbeat: unknown
}

export interface Lease extends AttemptRef {
  readonly heartbeat?: unknown
}

export interface RenewedLeases {
  readonly leaseMs: number
  readonly lost: readonly string[]
  readonly missed: boolean
}

export type AttemptFailure =
  | 'FAILED'
  | 'TIMED_OUT'
  | 'OUTCOME_UNKNOWN'
  | 'UNDECIDED'
  | 'NOT_EXECUTED'
  | 'STOPPED'
  | 'NOT_STARTED'

/** Why an attempt failed. */
export interface WireFailure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details?: unknown
}

/** How an attempt ended. */
export type Report =
  | { readonly kind: 'complete'; readonly result: unknown; readonly confirmed: boolean }
  | {
      readonly kind: 'fail'
      readonly failure: AttemptFailure
      readonly error: WireFailure
      readonly retryAfterMs?: number
    }
