/** Constant texts: the server parses and validates each of them once. */

const RUN_FIELDS = `fragment RunFields on Run {
  __typename id name status idempotencyKey params result
  error { code message retryable details }
  createdAt startedAt finishedAt lastSeq
}`

// Nested in the interface, so that one fragment fits every union, whichever of these errors it has. The aliases keep
// fields apart from those of the payload: two of one name must agree in their type.
const ERROR_FIELDS = `fragment ErrorFields on Error {
  code message
  ... on InvalidParamsError { issues { path message } }
  ... on IdempotencyMismatchError { keptBy: run { id } }
  ... on InvalidTransitionError { currentStatus: status }
  ... on InvalidInputError { inputPath: path }
}`

const mutation = (field: string, input: string, payload: string): string =>
  `mutation ($input: ${input}!) {
  ${field}(input: $input) { ... on ${payload} { replayed run { ...RunFields } } ...ErrorFields }
}
${RUN_FIELDS}
${ERROR_FIELDS}`

/** A mutation whose payload is `run` and `replayed`: its text, and the field of the answer. */
export interface RunMutation {
  readonly field: string
  readonly document: string
}

export const EXECUTE_ACTION: RunMutation = {
  field: 'executeAction',
  document: mutation('executeAction', 'ExecuteActionInput', 'ExecuteActionPayload'),
}
export const START_WORKFLOW: RunMutation = {
  field: 'startWorkflow',
  document: mutation('startWorkflow', 'StartWorkflowInput', 'StartWorkflowPayload'),
}
export const RETRY_RUN: RunMutation = {
  field: 'retryRun',
  document: mutation('retryRun', 'RetryRunInput', 'RetryRunPayload'),
}
export const CANCEL_RUN: RunMutation = {
  field: 'cancelRun',
  document: mutation('cancelRun', 'CancelRunInput', 'CancelRunPayload'),
}
export const SIGNAL_RUN: RunMutation = {
  field: 'signalRun',
  document: mutation('signalRun', 'SignalRunInput', 'SignalRunPayload'),
}

export const GET_RUN = `query ($id: ID!) { run(id: $id) { ...RunFields } }
${RUN_FIELDS}`

export const RUN_EVENTS = `subscription ($id: ID!, $after: Int!) {
  runEvents(id: $id, after: $after) {
    runId seq at step from to reason attempt
    error { code message retryable details }
    actor data
  }
}`
