/**
 * The part of the public contract that the client relies on. Where it leaves something open, the worst case stands here:
 * unions with few members, fields of one name that differ in their type.
 */
export const CONTRACT = /* GraphQL */ `
  scalar JSON
  scalar DateTime

  type Query { run(id: ID!): Run  retryPreview(id: ID!, step: String): RetryPreviewResult! }
  type Mutation {
    executeAction(input: ExecuteActionInput!): ExecuteActionResult!
    startWorkflow(input: StartWorkflowInput!): StartWorkflowResult!
    retryRun(input: RetryRunInput!): RetryRunResult!
    cancelRun(input: CancelRunInput!): CancelRunResult!
    signalRun(input: SignalRunInput!): SignalRunResult!
    pauseRun(input: PauseRunInput!): PauseRunResult!
    resumeRun(input: ResumeRunInput!): ResumeRunResult!
    skipStep(input: SkipStepInput!): SkipStepResult!
    resolveRun(input: ResolveRunInput!): ResolveRunResult!
    forkRun(input: ForkRunInput!): ForkRunResult!
    defineWorkflow(input: DefineWorkflowInput!): DefineWorkflowResult!
  }
  type Subscription { runEvents(id: ID!, after: Int = 0): RunEvent! }

  input ExecuteActionInput { name: String!  params: JSON  idempotencyKey: String  waitMs: Int  runAt: DateTime  priority: Int }
  input StartWorkflowInput { name: String  definition: JSON  params: JSON  idempotencyKey: String  waitMs: Int  runAt: DateTime }
  input RetryRunInput { id: ID!  step: String  params: JSON  newKey: Boolean  reason: String  idempotencyKey: String }
  input CancelRunInput { id: ID!  reason: String  idempotencyKey: String }
  input SignalRunInput { id: ID!  name: String!  payload: JSON  idempotencyKey: String }
  input PauseRunInput { id: ID!  reason: String  idempotencyKey: String }
  input ResumeRunInput { id: ID!  reason: String  idempotencyKey: String }
  input SkipStepInput { id: ID!  step: String!  result: JSON  reason: String  idempotencyKey: String }
  input ResolveRunInput { id: ID!  step: String  outcome: Resolution!  result: JSON  reason: String  idempotencyKey: String }
  input ForkRunInput { id: ID!  fromStep: String!  reason: String  idempotencyKey: String }
  input DefineWorkflowInput { definition: JSON! }
  enum Resolution { SUCCEEDED FAILED RETRY }

  union ExecuteActionResult = ExecuteActionPayload | ActionNotFoundError | InvalidParamsError | IdempotencyMismatchError
  union StartWorkflowResult = StartWorkflowPayload | InvalidInputError
  union RetryRunResult = RetryRunPayload | InvalidTransitionError
  union CancelRunResult = CancelRunPayload | InvalidTransitionError
  union SignalRunResult = SignalRunPayload | IdempotencyMismatchError
  union PauseRunResult = PauseRunPayload | InvalidTransitionError
  union ResumeRunResult = ResumeRunPayload | InvalidTransitionError
  union SkipStepResult = SkipStepPayload | InvalidTransitionError
  union ResolveRunResult = ResolveRunPayload | InvalidTransitionError
  union ForkRunResult = ForkRunPayload | InvalidTransitionError
  union RetryPreviewResult = RetryPreview | InvalidTransitionError
  union DefineWorkflowResult = DefineWorkflowPayload | InvalidDefinitionError

  type ExecuteActionPayload { run: ActionRun!  replayed: Boolean! }
  type StartWorkflowPayload { run: WorkflowRun!  replayed: Boolean! }
  type RetryRunPayload { run: Run!  replayed: Boolean! }
  type CancelRunPayload { run: Run!  replayed: Boolean! }
  type SignalRunPayload { run: Run!  replayed: Boolean! }
  type PauseRunPayload { run: Run!  replayed: Boolean! }
  type ResumeRunPayload { run: Run!  replayed: Boolean! }
  type SkipStepPayload { run: Run!  replayed: Boolean! }
  type ResolveRunPayload { run: Run!  replayed: Boolean! }
  type ForkRunPayload { run: Run!  replayed: Boolean! }
  type RetryPreview { again: [Run!]!  next: [Run!]!  kept: [Run!]!  unsafe: [Run!]! }
  type DefineWorkflowPayload { workflow: Workflow! }
  type Workflow { name: String!  version: String!  description: String  graph: String!  mermaid: String! }

  enum ErrorCode { ACTION_NOT_FOUND }
  interface Error { code: ErrorCode!  message: String! }
  type ActionNotFoundError implements Error { code: ErrorCode!  message: String! }
  type InvalidParamsError implements Error { code: ErrorCode!  message: String!  issues: [Issue!]! }
  type InvalidDefinitionError implements Error { code: ErrorCode!  message: String!  issues: [Issue!]! }
  type InvalidInputError implements Error { code: ErrorCode!  message: String!  path: String }
  type IdempotencyMismatchError implements Error { code: ErrorCode!  message: String!  run: Run }
  type InvalidTransitionError implements Error { code: ErrorCode!  message: String!  status: RunStatus! }
  type Issue { path: String!  message: String! }

  enum RunStatus { QUEUED }
  enum RunEventReason { STARTED }
  interface Run {
    id: ID!  name: String!  status: RunStatus!  idempotencyKey: String  params: JSON  result: JSON  error: RunError
    createdAt: DateTime!  startedAt: DateTime  finishedAt: DateTime  lastSeq: Int!
    paused: Boolean!  stepKey: String  stepIndex: Int
  }
  type ActionRun implements Run {
    id: ID!  name: String!  status: RunStatus!  idempotencyKey: String  params: JSON  result: JSON  error: RunError
    createdAt: DateTime!  startedAt: DateTime  finishedAt: DateTime  lastSeq: Int!
    paused: Boolean!  stepKey: String  stepIndex: Int
  }
  type WorkflowRun implements Run {
    id: ID!  name: String!  status: RunStatus!  idempotencyKey: String  params: JSON  result: JSON  error: RunError
    createdAt: DateTime!  startedAt: DateTime  finishedAt: DateTime  lastSeq: Int!
    paused: Boolean!  stepKey: String  stepIndex: Int
    steps: [Step!]!
  }
  type Step {
    key: String!  index: Int  dependsOn: [String!]!  status: RunStatus!  run: Run!  result: JSON  error: RunError
    attempts: [Attempt!]!
  }
  type Attempt { number: Int! }
  type RunError { code: String!  message: String!  retryable: Boolean!  details: JSON }
  type RunEvent {
    runId: ID!  seq: Int!  at: DateTime!  step: String  from: RunStatus  to: RunStatus!  reason: RunEventReason!
    attempt: Int  error: RunError  actor: String  data: JSON
  }
`
