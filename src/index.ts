export type { Effect, ProbeVerdict } from './core/effect.ts'
export { NonRetryableError, OutcomeUnknownError, RetryAfterError } from './core/errors.ts'
export type { RetryOptions } from './core/retry.ts'
export type { UserDatabase, UserTransaction } from './db/client.ts'
export {
  type Action,
  type ActionOptions,
  action,
  type CompensateContext,
  type HandlerContext,
  type ProbeContext,
  type TransactionalContext,
} from './executor/define-action.ts'
export { actionRef, workflow, workflowRef } from './executor/define-workflow.ts'
export type { WorkflowBuilder } from './executor/workflow-builder.ts'
export type { WorkflowOptions } from './executor/workflow-options.ts'
export type {
  ActionRef,
  Decision,
  Json,
  Settled,
  StepError,
  Workflow,
  WorkflowRef,
} from './executor/workflow-types.ts'
export { type HttpActionOptions, httpAction } from './http-action/http-action.ts'
export { type RunningServer, type ServeOptions, serve } from './server/serve.ts'
export { ConfigurationError } from './server/settings.ts'
