import type { ServeOptions } from '../../src/index.ts'
import { type ApiClient, startTestServer, type TestServer } from './server.ts'

interface ShownStep {
  key: string
  index: number | null
  dependsOn: string[]
  status: string
  result: unknown
  error: { code: string; message: string } | null
  run: { id: string }
  attempts: { number: number; status: string }[]
}

export interface ShownWorkflowRun {
  __typename: string
  id: string
  status: string
  result: unknown
  error: { code: string; message: string; details: unknown } | null
  paused: boolean
  steps: ShownStep[]
  events: {
    seq: number
    step: string | null
    from: string | null
    to: string
    reason: string
    actor: string | null
    data: unknown
  }[]
  lastSeq: number
}

export const WORKFLOW_RUN = `... on WorkflowRun { __typename id status result paused lastSeq error { code message details }
  events(first: 1000) { seq step from to reason actor data }
  steps { key index dependsOn status result error { code message } run { id } attempts { number status } } }`

export interface StartAnswer {
  __typename: string
  run?: ShownWorkflowRun
  replayed?: boolean
  code?: string
  message?: string
  issues?: { path: string; message: string }[]
}

/** Starts workflows and looks at them, at whatever server. */
export interface WorkflowClient {
  start(input: object): Promise<StartAnswer>
  /** Starts a workflow and waits until it has come to rest. */
  run(input: object): Promise<ShownWorkflowRun>
  look(id: string): Promise<ShownWorkflowRun>
}

export interface WorkflowServer extends TestServer, WorkflowClient {}

export async function startWorkflowServer(options: Partial<ServeOptions>): Promise<WorkflowServer> {
  const server = await startTestServer(options.actions ?? [], options)
  return { ...server, ...workflowClient(server) }
}

export function workflowClient(server: ApiClient): WorkflowClient {
  const start = async (input: object) =>
    (
      await server.query<{ startWorkflow: StartAnswer }>(
        `mutation($input: StartWorkflowInput!) { startWorkflow(input: $input) { __typename
          ... on StartWorkflowPayload { replayed run { ${WORKFLOW_RUN} } }
          ... on Error { code message } ... on InvalidParamsError { issues { path message } }
          ... on InvalidDefinitionError { issues { path message } } } }`,
        { input },
      )
    ).startWorkflow
  return {
    start,
    async run(input) {
      const { run, message } = await start({ waitMs: 20_000, ...input })
      if (!run) throw new Error(message)
      return run
    },
    async look(id) {
      const { run } = await server.query<{ run: ShownWorkflowRun | null }>(
        `query($id: ID!) { run(id: $id) { ${WORKFLOW_RUN} } }`,
        { id },
      )
      if (!run) throw new Error(`there is no run ${id}`)
      return run
    },
  }
}

/** The states of the steps by key, with the index of those that are one of several. */
export function statesOf(run: ShownWorkflowRun): Record<string, string> {
  return Object.fromEntries(
    run.steps.map(({ key, index, status }) => [index === null ? key : `${key}[${index}]`, status]),
  )
}
