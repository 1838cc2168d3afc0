/** Why the `signal` of a function was aborted. The class decides what is reported; the code tells the function. */

/** The attempt took longer than the action's `timeoutMs`. */
export class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout'
  readonly code = 'ATTEMPT_TIMED_OUT'
  constructor(timeoutMs: number) {
    super(`The attempt took longer than ${timeoutMs} ms`)
  }
}

/** The run was canceled or went to another worker: whatever the function still does, nothing of it is recorded. */
export class RunRevoked extends Error {
  override readonly name = 'RunRevoked'
  readonly code = 'RUN_REVOKED'
  constructor() {
    super('The run was canceled, or went to another worker')
  }
}

/** The worker's lease has expired, or may have: other workers may have its runs, and nothing of it is recorded. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
  readonly code = 'LEASE_LOST'
  constructor(why: string) {
    super(`The lease of the worker was lost: ${why}`)
  }
}

/** The worker stops and does not wait longer. */
export class WorkerStopped extends Error {
  override readonly name = 'WorkerStopped'
  readonly code = 'WORKER_STOPPED'
  constructor(message = 'The worker was stopped before the function returned') {
    super(message)
  }
}
