/** Constant texts: the server parses and validates each of them once. */

const RUN_FIELDS = `fragment RunFields on Run {
  __typename id name status idempotencyKey params result
  error { code message retryable details }
  createdAt startedAt finishedAt lastSeq paused stepKey stepIndex
}`

// Nested in the interface, so that one fragment fits every union, whichever of these errors it has. The aliases keep
// fields apart from those of the payload: two of one name must agree in their type.
const ERROR_FIELDS = `fragment ErrorFields on Error {
  code message
  ... on InvalidParamsError { issues { path message } }
  ... on InvalidDefinitionError { issues { path message } }
  ... on IdempotencyMismatchError { keptBy: run { id } }
  ... on InvalidTransitionError { currentStatus: status }
  ... on InvalidInputError { inputPath: path }
}`

/** A mutation whose payload is `run` and `replayed`: its text, and the field of the answer. */
export interface RunMutation {
  readonly field: string
  readonly document: string
}

function mutation(field: string): RunMutation {
  const type = field.charAt(0).toUpperCase() + field.slice(1)
  const document = `mutation ($input: ${type}Input!) {
  ${field}(input: $input) { ... on ${type}Payload { replayed run { ...RunFields } } ...ErrorFields }
}
${RUN_FIELDS}
${ERROR_FIELDS}`
  return { field, document }
}

export const EXECUTE_ACTION = mutation('executeAction')
export const START_WORKFLOW = mutation('startWorkflow')
export const RETRY_RUN = mutation('retryRun')
export const CANCEL_RUN = mutation('cancelRun')
export const PAUSE_RUN = mutation('pauseRun')
export const RESUME_RUN = mutation('resumeRun')
export const SKIP_STEP = mutation('skipStep')
export const RESOLVE_RUN = mutation('resolveRun')
export const SIGNAL_RUN = mutation('signalRun')
export const FORK_RUN = mutation('forkRun')

export const GET_RUN = `query ($id: ID!) { run(id: $id) { ...RunFields } }
${RUN_FIELDS}`

export const GET_STEPS = `query ($id: ID!) {
  run(id: $id) {
    __typename
    ... on WorkflowRun {
      steps {
        key index dependsOn status result
        error { code message retryable details }
        run { id params startedAt finishedAt }
        attempts { number }
      }
    }
  }
}`

export const RETRY_PREVIEW = `query ($id: ID!, $step: String) {
  retryPreview(id: $id, step: $step) {
    ... on RetryPreview {
      again { ...Previewed } next { ...Previewed } kept { ...Previewed } unsafe { ...Previewed }
    }
    ...ErrorFields
  }
}
fragment Previewed on Run { id name status stepKey }
${ERROR_FIELDS}`

export const DEFINE_WORKFLOW = `mutation ($input: DefineWorkflowInput!) {
  defineWorkflow(input: $input) {
    ... on DefineWorkflowPayload { workflow { name version description graph mermaid } }
    ...ErrorFields
  }
}
${ERROR_FIELDS}`

export const RUN_EVENTS = `subscription ($id: ID!, $after: Int!) {
  runEvents(id: $id, after: $after) {
    runId seq at step from to reason attempt
    error { code message retryable details }
    actor data
  }
}`
