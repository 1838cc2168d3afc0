/** Why a handler's `signal` is aborted. The reason decides what is recorded. */

/** The attempt took longer than the action's `timeoutMs`. */
export class AttemptTimeout extends Error {
  readonly code = 'ATTEMPT_TIMED_OUT'
  constructor(timeoutMs: number) {
    super(`The attempt took longer than ${timeoutMs} ms`)
  }
}

/** The run was canceled or went to another worker: whatever the handler still does, nothing of it is recorded. */
export class RunRevoked extends Error {
  readonly code = 'RUN_REVOKED'
  constructor() {
    super('The run was canceled, or went to another worker')
  }
}

/** The server stops and does not wait longer. */
export class WorkerStopped extends Error {
  readonly code = 'WORKER_STOPPED'
  constructor() {
    super('The worker was stopped before the handler returned')
  }
}
