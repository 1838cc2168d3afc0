export { DoError, type ErrorCode, type Issue } from '../errors.ts'
export { type FailureOptions, NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../handler-errors.ts'
export type {
  AnySchemas,
  CompensateContext,
  ProbeContext,
  ProbeVerdict,
  RetryOptions,
  RunContext,
  WorkerAction,
  WorkerActions,
  WorkerOptions,
  WorkerPhase,
} from './options.ts'
export { AttemptTimeout, LeaseLost, RunRevoked, WorkerStopped } from './reasons.ts'
export type { Schema } from './schema.ts'
export { Worker } from './worker.ts'
