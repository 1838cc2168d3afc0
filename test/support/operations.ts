import type { TestServer } from './server.ts'
import { type ShownWorkflowRun, WORKFLOW_RUN } from './workflows.ts'

export interface ControlAnswer {
  __typename: string
  run?: ShownWorkflowRun
  replayed?: boolean
  code?: string
  message?: string
  status?: string
  issues?: { path: string; message: string }[]
}

/** Calls a control mutation by its name. */
export async function operate(server: TestServer, name: string, input: object): Promise<ControlAnswer> {
  const type = name[0]!.toUpperCase() + name.slice(1)
  const answer = await server.query<Record<string, ControlAnswer>>(
    `mutation($input: ${type}Input!) { ${name}(input: $input) { __typename
      ... on ${type}Payload { replayed run { __typename id status ${WORKFLOW_RUN} } }
      ... on Error { code message } ... on InvalidTransitionError { status } } }`,
    { input },
  )
  return answer[name]!
}
