export type { ActionClient } from './actions.ts'
export { Do } from './client.ts'
export type { ActionDefinition, AnyApp, App, Json, WorkflowDefinition } from './definitions.ts'
export { DoError, type ErrorCode, type Issue } from './errors.ts'
export type {
  CancelOptions,
  ExecuteInput,
  RetryOptions,
  SignalOptions,
  StartDefinitionInput,
  StartInput,
  WaitOptions,
  WatchOptions,
} from './inputs.ts'
export type { RunClient } from './runs.ts'
export type {
  DoOptions,
  ExecuteOutcome,
  FoundRun,
  Outcome,
  Run,
  RunAnswer,
  RunError,
  RunEvent,
  RunRef,
  RunStatus,
} from './types.ts'
export type { WorkflowClient } from './workflows.ts'
