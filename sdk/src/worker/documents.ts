/** Constant texts: the server parses and validates each of them once. */

const ERROR_FIELDS = `fragment ErrorFields on Error {
  code message
  ... on InvalidDefinitionError { issues { path message } }
  ... on InvalidInputError { inputPath: path }
}`

function mutation(field: string, payload: string): string {
  const type = field.charAt(0).toUpperCase() + field.slice(1)
  return `mutation ($input: ${type}Input!) {
  ${field}(input: $input) { ... on ${type}Payload { ${payload} } ...ErrorFields }
}
${ERROR_FIELDS}`
}

export const REGISTER_WORKER = mutation('registerWorker', 'leaseMs worker { id }')
export const CLAIM_RUNS = mutation(
  'claimRuns',
  `runs {
    runId name attempt operation params result idempotencyKey probe lastAttempt timeoutMs lastHeartbeat
  }`,
)
export const RENEW_LEASES = mutation('renewLeases', 'leaseMs lost missed')
export const COMPLETE_ATTEMPT = mutation('completeAttempt', 'replayed')
export const FAIL_ATTEMPT = mutation('failAttempt', 'replayed')
export const STOP_WORKER = mutation('stopWorker', 'handedOn')
