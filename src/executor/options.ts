/** What the executor of one node is set to. Times in milliseconds, sizes in bytes. */
export interface ExecutorOptions {
  /** Executes runs; without, the node only answers requests. */
  readonly executes: boolean
  /** Runs at once. */
  readonly concurrency: number
  readonly leaseMs: number
  /** How often the queue is looked at without a hint. */
  readonly pollMs: number
  /** So many attempts cut by crashes fail a run. */
  readonly maxLosses: number
  readonly maxParamsBytes: number
  readonly maxResultBytes: number
  /** So many QUEUED runs of one action; further calls are refused. */
  readonly queueLimit: number
  /** How long a request waits for a database that is away. */
  readonly unavailableMs: number
  /** Hosts and networks outside of the internet that HTTP actions may call. */
  readonly httpActionsAllow: readonly string[]
  /** Whether to use NOTIFY; everything works without, a poll later. */
  readonly notify: boolean
}

export const DEFAULT_EXECUTOR_OPTIONS: ExecutorOptions = {
  executes: true,
  concurrency: 100,
  leaseMs: 15_000,
  pollMs: 1_000,
  maxLosses: 5,
  maxParamsBytes: 1_048_576,
  maxResultBytes: 1_048_576,
  queueLimit: 100_000,
  unavailableMs: 10_000,
  httpActionsAllow: [],
  notify: true,
}
