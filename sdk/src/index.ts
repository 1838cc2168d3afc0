export type { ActionClient } from './actions.ts'
export { Do } from './client.ts'
export type { ActionDefinition, AnyApp, App, Json, WorkflowDefinition } from './definitions.ts'
export { DoError, type ErrorCode, type Issue } from './errors.ts'
export type {
  CancelOptions,
  ExecuteInput,
  ForkOptions,
  LookOptions,
  PauseOptions,
  PreviewOptions,
  ResolveOptions,
  RetryOptions,
  SignalOptions,
  SkipOptions,
  StartDefinitionInput,
  StartInput,
  WaitOptions,
  WatchOptions,
} from './inputs.ts'
export type { RunClient } from './runs.ts'
export type {
  DefineAnswer,
  DefinedWorkflow,
  DoOptions,
  ExecuteOutcome,
  FoundPreview,
  FoundRun,
  FoundSteps,
  Outcome,
  Preview,
  PreviewedRun,
  Run,
  RunAnswer,
  RunError,
  RunEvent,
  RunRef,
  RunStatus,
  Step,
} from './types.ts'
export type { WorkflowClient } from './workflows.ts'
