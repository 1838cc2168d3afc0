/** The part of the public contract that a remote worker relies on. */
export const WORKER_CONTRACT = /* GraphQL */ `
  scalar JSON

  type Query { nothing: Boolean }
  type Mutation {
    registerWorker(input: RegisterWorkerInput!): RegisterWorkerResult!
    claimRuns(input: ClaimRunsInput!): ClaimRunsResult!
    renewLeases(input: RenewLeasesInput!): RenewLeasesResult!
    completeAttempt(input: CompleteAttemptInput!): CompleteAttemptResult!
    failAttempt(input: FailAttemptInput!): FailAttemptResult!
    stopWorker(input: StopWorkerInput!): StopWorkerResult!
  }

  input RegisterWorkerInput { name: String  actions: [WorkerActionInput!]! }
  input WorkerActionInput {
    name: String!  description: String  paramsSchema: JSON  resultSchema: JSON  effect: Effect  retry: RetryPolicyInput
    timeoutMs: Int  probe: Boolean  compensate: Boolean
  }
  enum Effect { transactional idempotent unsafe }
  input RetryPolicyInput { maxAttempts: Int  backoff: BackoffInput  deadlineMs: Float }
  input BackoffInput { initialMs: Float  factor: Float  maxMs: Float  jitter: Boolean }
  input AttemptInput { runId: ID!  attempt: Int! }
  input ClaimRunsInput { workerId: ID!  names: [String!]!  limit: Int!  waitMs: Int = 0  holding: [AttemptInput!] }
  input LeaseInput { runId: ID!  attempt: Int!  heartbeat: JSON }
  input RenewLeasesInput { workerId: ID!  attempts: [LeaseInput!]!  waitMs: Int = 0 }
  input CompleteAttemptInput { workerId: ID!  runId: ID!  attempt: Int!  result: JSON  confirmed: Boolean = false }
  input AttemptErrorInput { code: String  message: String!  retryable: Boolean = true  details: JSON }
  enum AttemptFailure { FAILED TIMED_OUT OUTCOME_UNKNOWN UNDECIDED NOT_EXECUTED STOPPED NOT_STARTED }
  input FailAttemptInput {
    workerId: ID!  runId: ID!  attempt: Int!  failure: AttemptFailure = FAILED  error: AttemptErrorInput!  retryAfterMs: Float
  }
  input StopWorkerInput { workerId: ID!  holding: [AttemptInput!] }

  union RegisterWorkerResult = RegisterWorkerPayload | InvalidDefinitionError | InvalidInputError | PermissionDeniedError
  union ClaimRunsResult = ClaimRunsPayload | WorkerNotFoundError | InvalidInputError | PermissionDeniedError
  union RenewLeasesResult = RenewLeasesPayload | WorkerNotFoundError | InvalidInputError | PermissionDeniedError
  union CompleteAttemptResult =
    CompleteAttemptPayload | RunNotFoundError | AttemptLostError | InvalidInputError | PermissionDeniedError
  union FailAttemptResult = FailAttemptPayload | RunNotFoundError | AttemptLostError | InvalidInputError | PermissionDeniedError
  union StopWorkerResult = StopWorkerPayload | InvalidInputError | PermissionDeniedError

  type RegisterWorkerPayload { worker: RemoteWorker!  leaseMs: Int!  actions: [Action!]! }
  type RemoteWorker { id: ID!  name: String! }
  type Action { name: String! }
  type ClaimRunsPayload { runs: [ClaimedRun!]! }
  enum ClaimedOperation { EXECUTE COMPENSATE }
  type ClaimedRun {
    runId: ID!  name: String!  attempt: Int!  operation: ClaimedOperation!  params: JSON  result: JSON  idempotencyKey: String!
    probe: Boolean!  lastAttempt: Boolean!  timeoutMs: Int!  lastHeartbeat: JSON
  }
  type RenewLeasesPayload { leaseMs: Int!  lost: [ID!]!  missed: Boolean! }
  type CompleteAttemptPayload { run: Run!  replayed: Boolean! }
  type FailAttemptPayload { run: Run!  replayed: Boolean! }
  type StopWorkerPayload { handedOn: Int! }
  type Run { id: ID! }

  interface Error { code: String!  message: String! }
  type InvalidDefinitionError implements Error { code: String!  message: String!  issues: [Issue!]! }
  type InvalidInputError implements Error { code: String!  message: String!  path: String }
  type PermissionDeniedError implements Error { code: String!  message: String! }
  type WorkerNotFoundError implements Error { code: String!  message: String! }
  type RunNotFoundError implements Error { code: String!  message: String! }
  type AttemptLostError implements Error { code: String!  message: String! }
  type Issue { path: String!  message: String! }
`
