/**
 * What clients rely on. Additions to the schema are welcome; whatever stands here must
 * stay. Unions list the members that must be there, enums the values.
 */
export const CONTRACT = /* GraphQL */ `
  scalar JSON
  scalar DateTime

  type Query {
    run(id: ID!): Run
    node(id: ID!): Node
    runs(first: Int, after: String, last: Int, before: String, filter: RunFilter): RunConnection!
    actions: [Action!]!
    action(name: String!): Action
    workflows: [Workflow!]!
    workflow(name: String!): Workflow
    retryPreview(id: ID!, step: String): RetryPreviewResult!
    workers: [RemoteWorker!]!
    countRuns(filter: RunFilter!): Int!
  }

  type Mutation {
    executeAction(input: ExecuteActionInput!): ExecuteActionResult!
    executeActions(inputs: [ExecuteActionInput!]!): [ExecuteActionResult!]!
    retryRun(input: RetryRunInput!): RetryRunResult!
    cancelRun(input: CancelRunInput!): CancelRunResult!
    startWorkflow(input: StartWorkflowInput!): StartWorkflowResult!
    defineWorkflow(input: DefineWorkflowInput!): DefineWorkflowResult!
    registerAction(input: RegisterActionInput!): RegisterActionResult!
    updateAction(input: UpdateActionInput!): UpdateActionResult!
    removeAction(input: RemoveActionInput!): RemoveActionResult!
    rotateActionSecret(input: RotateActionSecretInput!): RotateActionSecretResult!
    registerWorker(input: RegisterWorkerInput!): RegisterWorkerResult!
    claimRuns(input: ClaimRunsInput!): ClaimRunsResult!
    renewLeases(input: RenewLeasesInput!): RenewLeasesResult!
    completeAttempt(input: CompleteAttemptInput!): CompleteAttemptResult!
    failAttempt(input: FailAttemptInput!): FailAttemptResult!
    stopWorker(input: StopWorkerInput!): StopWorkerResult!
    signalRun(input: SignalRunInput!): SignalRunResult!
    pauseRun(input: PauseRunInput!): PauseRunResult!
    resumeRun(input: ResumeRunInput!): ResumeRunResult!
    skipStep(input: SkipStepInput!): SkipStepResult!
    resolveRun(input: ResolveRunInput!): ResolveRunResult!
    forkRun(input: ForkRunInput!): ForkRunResult!
    retryRuns(input: BulkInput!): BulkResult!
    cancelRuns(input: BulkInput!): BulkResult!
    pauseRuns(input: BulkInput!): BulkResult!
    resumeRuns(input: BulkInput!): BulkResult!
  }

  type Subscription {
    runEvents(id: ID!, after: Int = 0): RunEvent!
    runs(filter: RunFilter): Run!
  }

  input ExecuteActionInput {
    name: String!
    params: JSON
    idempotencyKey: String
    waitMs: Int
    runAt: DateTime
    priority: Int
  }
  input RetryRunInput {
    id: ID!
    step: String
    params: JSON
    newKey: Boolean
    reason: String
    idempotencyKey: String
  }
  input CancelRunInput {
    id: ID!
    reason: String
    idempotencyKey: String
  }
  input RunFilter {
    status: [RunStatus!]
    name: String
    kind: RunKind
    createdAfter: DateTime
    createdBefore: DateTime
    idempotencyKey: String
  }

  type ExecuteActionPayload { run: ActionRun! replayed: Boolean! }
  input StartWorkflowInput {
    name: String
    definition: JSON
    params: JSON
    idempotencyKey: String
    waitMs: Int
    runAt: DateTime
  }
  input DefineWorkflowInput { definition: JSON! }
  input RegisterActionInput { name: String! url: String! description: String paramsSchema: JSON resultSchema: JSON effect: Effect timeoutMs: Int }
  input UpdateActionInput { name: String! url: String description: String paramsSchema: JSON resultSchema: JSON effect: Effect timeoutMs: Int }
  input RemoveActionInput { name: String! }
  input RotateActionSecretInput { name: String! keepPreviousMs: Float }
  input WorkerActionInput { name: String! description: String paramsSchema: JSON resultSchema: JSON effect: Effect timeoutMs: Int probe: Boolean compensate: Boolean }
  input RegisterWorkerInput { name: String actions: [WorkerActionInput!]! }
  input AttemptInput { runId: ID! attempt: Int! }
  input LeaseInput { runId: ID! attempt: Int! heartbeat: JSON }
  input ClaimRunsInput { workerId: ID! names: [String!]! limit: Int! waitMs: Int holding: [AttemptInput!] }
  input RenewLeasesInput { workerId: ID! attempts: [LeaseInput!]! waitMs: Int }
  input CompleteAttemptInput { workerId: ID! runId: ID! attempt: Int! result: JSON confirmed: Boolean }
  input AttemptErrorInput { code: String message: String! retryable: Boolean details: JSON }
  input FailAttemptInput { workerId: ID! runId: ID! attempt: Int! failure: AttemptFailure error: AttemptErrorInput! retryAfterMs: Float }
  input StopWorkerInput { workerId: ID! holding: [AttemptInput!] }
  enum AttemptFailure { FAILED TIMED_OUT OUTCOME_UNKNOWN UNDECIDED NOT_EXECUTED STOPPED NOT_STARTED }
  enum ClaimedOperation { EXECUTE COMPENSATE }
  input SignalRunInput { id: ID! name: String! payload: JSON idempotencyKey: String }
  input PauseRunInput { id: ID! reason: String idempotencyKey: String }
  input ResumeRunInput { id: ID! reason: String idempotencyKey: String }
  input SkipStepInput { id: ID! step: String! result: JSON reason: String idempotencyKey: String }
  input ResolveRunInput { id: ID! step: String outcome: Resolution! result: JSON reason: String idempotencyKey: String }
  enum Resolution { SUCCEEDED FAILED RETRY }
  input ForkRunInput { id: ID! fromStep: String! reason: String idempotencyKey: String }
  input BulkInput { filter: RunFilter! expected: Int! reason: String idempotencyKey: String! }
  type StartWorkflowPayload { run: WorkflowRun! replayed: Boolean! }
  type DefineWorkflowPayload { workflow: Workflow! }
  type RegisterActionPayload { action: Action! secret: String! }
  type UpdateActionPayload { action: Action! }
  type RemoveActionPayload { name: String! }
  type RotateActionSecretPayload { action: Action! secret: String! }
  type RemoteWorker { id: ID! name: String! startedAt: DateTime! lastSeenAt: DateTime! actions: [String!]! }
  type RegisterWorkerPayload { worker: RemoteWorker! leaseMs: Int! actions: [Action!]! }
  type ClaimedRun {
    runId: ID! name: String! attempt: Int! operation: ClaimedOperation! params: JSON result: JSON idempotencyKey: String!
    probe: Boolean! lastAttempt: Boolean! timeoutMs: Int! lastHeartbeat: JSON
  }
  type ClaimRunsPayload { runs: [ClaimedRun!]! }
  type RenewLeasesPayload { leaseMs: Int! lost: [ID!]! missed: Boolean! }
  type CompleteAttemptPayload { run: Run! replayed: Boolean! }
  type FailAttemptPayload { run: Run! replayed: Boolean! }
  type StopWorkerPayload { handedOn: Int! }
  type BulkPayload { outcomes: [BulkOutcome!]! }
  type BulkOutcome { run: Run refused: BulkRefusal }
  type RetryPreview { again: [Run!]! next: [Run!]! kept: [Run!]! unsafe: [Run!]! }
  type WorkflowNotFoundError implements Error { code: ErrorCode! message: String! }
  type InvalidDefinitionError implements Error { code: ErrorCode! message: String! issues: [ParamsIssue!]! }
  type SignalRunPayload { run: Run! replayed: Boolean! }
  union SignalRunResult =
    | SignalRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
    | InvalidParamsError
    | PayloadTooLargeError
  type PauseRunPayload { run: Run! replayed: Boolean! }
  union PauseRunResult =
    | PauseRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
  type ResumeRunPayload { run: Run! replayed: Boolean! }
  union ResumeRunResult =
    | ResumeRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
  type SkipStepPayload { run: Run! replayed: Boolean! }
  union SkipStepResult =
    | SkipStepPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
    | StepNotFoundError
  type ResolveRunPayload { run: Run! replayed: Boolean! }
  union ResolveRunResult =
    | ResolveRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
    | StepNotFoundError
    | InvalidParamsError
  type ForkRunPayload { run: Run! replayed: Boolean! }
  union ForkRunResult =
    | ForkRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
    | StepNotFoundError
  union StartWorkflowResult =
    | StartWorkflowPayload
    | WorkflowNotFoundError
    | InvalidDefinitionError
    | InvalidParamsError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | PermissionDeniedError
    | RateLimitedError
    | PayloadTooLargeError
  union DefineWorkflowResult =
    | DefineWorkflowPayload
    | InvalidDefinitionError
    | InvalidInputError
    | PermissionDeniedError
  union RegisterActionResult = RegisterActionPayload | InvalidDefinitionError | InvalidInputError | PermissionDeniedError
  union UpdateActionResult = UpdateActionPayload | ActionNotFoundError | InvalidDefinitionError | InvalidInputError | PermissionDeniedError
  union RemoveActionResult = RemoveActionPayload | ActionNotFoundError | InvalidInputError | PermissionDeniedError
  union RotateActionSecretResult = RotateActionSecretPayload | ActionNotFoundError | InvalidInputError | PermissionDeniedError
  union RegisterWorkerResult = RegisterWorkerPayload | InvalidDefinitionError | InvalidInputError | PermissionDeniedError
  union ClaimRunsResult = ClaimRunsPayload | WorkerNotFoundError | InvalidInputError | PermissionDeniedError
  union RenewLeasesResult = RenewLeasesPayload | WorkerNotFoundError | InvalidInputError | PermissionDeniedError
  union CompleteAttemptResult = CompleteAttemptPayload | RunNotFoundError | AttemptLostError | InvalidInputError | PermissionDeniedError
  union FailAttemptResult = FailAttemptPayload | RunNotFoundError | AttemptLostError | InvalidInputError | PermissionDeniedError
  union StopWorkerResult = StopWorkerPayload | InvalidInputError | PermissionDeniedError
  type WorkerNotFoundError implements Error { code: ErrorCode! message: String! }
  type AttemptLostError implements Error { code: ErrorCode! message: String! status: RunStatus! }
  union RetryPreviewResult =
    | RetryPreview
    | RunNotFoundError
    | StepNotFoundError
    | InvalidTransitionError
  union BulkResult =
    | BulkPayload
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | PermissionDeniedError
  union BulkRefusal =
    | RunNotFoundError
    | InvalidTransitionError
    | IdempotencyMismatchError
    | InvalidInputError
  type RetryRunPayload { run: Run! replayed: Boolean! }
  type CancelRunPayload { run: Run! replayed: Boolean! }

  union ExecuteActionResult =
    | ExecuteActionPayload
    | ActionNotFoundError
    | InvalidParamsError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | PermissionDeniedError
    | RateLimitedError
    | PayloadTooLargeError
  union RetryRunResult =
    | RetryRunPayload
    | RunNotFoundError
    | StepNotFoundError
    | InvalidParamsError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError
    | PayloadTooLargeError
  union CancelRunResult =
    | CancelRunPayload
    | RunNotFoundError
    | InvalidInputError
    | InvalidIdempotencyKeyError
    | IdempotencyMismatchError
    | InvalidTransitionError
    | PermissionDeniedError

  interface Error { code: ErrorCode! message: String! }
  type ActionNotFoundError implements Error { code: ErrorCode! message: String! }
  type RunNotFoundError implements Error { code: ErrorCode! message: String! }
  type StepNotFoundError implements Error { code: ErrorCode! message: String! }
  type InvalidParamsError implements Error { code: ErrorCode! message: String! issues: [ParamsIssue!]! }
  type ParamsIssue { path: String! message: String! }
  type InvalidInputError implements Error { code: ErrorCode! message: String! path: String! }
  type InvalidIdempotencyKeyError implements Error { code: ErrorCode! message: String! }
  type IdempotencyMismatchError implements Error { code: ErrorCode! message: String! run: Run }
  type InvalidTransitionError implements Error { code: ErrorCode! message: String! status: RunStatus! }
  type PermissionDeniedError implements Error { code: ErrorCode! message: String! }
  type RateLimitedError implements Error { code: ErrorCode! message: String! }
  type PayloadTooLargeError implements Error { code: ErrorCode! message: String! }

  interface Node { id: ID! }
  interface Run {
    id: ID!
    name: String!
    status: RunStatus!
    idempotencyKey: String
    params: JSON
    result: JSON
    error: RunError
    createdAt: DateTime!
    startedAt: DateTime
    finishedAt: DateTime
    parent: WorkflowRun
    stepKey: String
    attempts: [Attempt!]!
    events(after: Int, first: Int): [RunEvent!]!
    lastSeq: Int!
  }
  type ActionRun implements Run & Node {
    id: ID!
    name: String!
    status: RunStatus!
    idempotencyKey: String
    params: JSON
    result: JSON
    error: RunError
    createdAt: DateTime!
    startedAt: DateTime
    finishedAt: DateTime
    parent: WorkflowRun
    stepKey: String
    attempts: [Attempt!]!
    events(after: Int, first: Int): [RunEvent!]!
    lastSeq: Int!
  }
  type WorkflowRun implements Run & Node {
    id: ID!
    name: String!
    status: RunStatus!
    idempotencyKey: String
    params: JSON
    result: JSON
    error: RunError
    createdAt: DateTime!
    startedAt: DateTime
    finishedAt: DateTime
    parent: WorkflowRun
    stepKey: String
    attempts: [Attempt!]!
    events(after: Int, first: Int): [RunEvent!]!
    lastSeq: Int!
    steps: [Step!]!
  }
  type StepRun implements Run & Node {
    id: ID!
    name: String!
    status: RunStatus!
    idempotencyKey: String
    params: JSON
    result: JSON
    error: RunError
    createdAt: DateTime!
    startedAt: DateTime
    finishedAt: DateTime
    parent: WorkflowRun
    stepKey: String
    attempts: [Attempt!]!
    events(after: Int, first: Int): [RunEvent!]!
    lastSeq: Int!
  }
  type Step {
    key: String!
    index: Int
    dependsOn: [String!]!
    status: RunStatus!
    run: Run!
    result: JSON
    error: RunError
    attempts: [Attempt!]!
  }
  type Workflow {
    name: String!
    version: String!
    description: String
    paramsSchema: JSON
    steps: [WorkflowStep!]!
    mermaid: String!
  }
  type WorkflowStep { key: String! dependsOn: [String!]! action: String }
  type Attempt {
    number: Int!
    status: AttemptStatus!
    startedAt: DateTime!
    finishedAt: DateTime
    durationMs: Int
    error: RunError
    worker: String
  }
  type RunError { code: String! message: String! retryable: Boolean! details: JSON }
  type RunEvent {
    runId: ID!
    seq: Int!
    at: DateTime!
    step: String
    from: RunStatus
    to: RunStatus!
    reason: RunEventReason!
    attempt: Int
    error: RunError
    actor: String
    data: JSON
  }

  type RunConnection { edges: [RunEdge!]! pageInfo: PageInfo! }
  type RunEdge { cursor: String! node: Run! }
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Action {
    isRemote: Boolean!
    workers: [RemoteWorker!]!
    name: String!
    version: String!
    description: String
    effect: Effect!
    paramsSchema: JSON
    resultSchema: JSON
    retry: RetryPolicy!
    timeoutMs: Int!
  }
  type RetryPolicy { maxAttempts: Int! }

  enum RunStatus {
    PENDING SCHEDULED QUEUED RUNNING WAITING SUCCEEDED FAILED CANCELED SKIPPED INDETERMINATE COMPENSATING COMPENSATED
  }
  enum AttemptStatus { RUNNING SUCCEEDED FAILED TIMED_OUT CANCELED LOST }
  enum RunKind { ACTION WORKFLOW }
  enum Effect {
    transactional
    idempotent
    unsafe
  }
  enum RunEventReason { SUBMITTED STARTED COMPLETED RETRY_SCHEDULED CANCEL_REQUESTED RETRY_REQUESTED }
  enum ErrorCode {
    ACTION_NOT_FOUND WORKFLOW_NOT_FOUND RUN_NOT_FOUND STEP_NOT_FOUND INVALID_PARAMS INVALID_INPUT INVALID_IDEMPOTENCY_KEY
    IDEMPOTENCY_MISMATCH INVALID_TRANSITION PERMISSION_DENIED RATE_LIMITED PAYLOAD_TOO_LARGE
  }
`
