import { beforeAll, onTestFinished } from 'vitest'
import { type Action, type RunningServer, type ServeOptions, serve } from '../../src/index.ts'
import { testDatabase } from './database.ts'

export const API_KEY = 'test-key-0123456789'

/** Speaks to a server over HTTP. */
export interface ApiClient {
  /** Sends an operation; throws when the answer has `errors`. */
  query<T>(document: string, variables?: object): Promise<T>
  /** The same, with whatever the answer holds. */
  post(body: object, headers?: Record<string, string>): Promise<{ status: number; body: GraphqlAnswer }>
  execute(input: object): Promise<ExecuteAnswer>
}

/** A real server on a free port with a database of its own, stopped when the test ends. */
export interface TestServer extends RunningServer, ApiClient {
  readonly databaseUrl: string
  /** Moves durable time; nobody waits for it. */
  advance(ms: number): void
}

export interface GraphqlAnswer {
  data?: Record<string, unknown> | null
  errors?: { message: string; path?: unknown[]; extensions?: Record<string, unknown> }[]
}

export interface ShownRun {
  id: string
  status: string
  result: unknown
  error: { code: string; message: string; retryable: boolean; details: unknown } | null
  attempts: { number: number; status: string; error: { code: string; message: string } | null }[]
  events: {
    seq: number
    from: string | null
    to: string
    reason: string
    attempt: number | null
    data: unknown
    actor: string | null
  }[]
  heartbeat: unknown
  lastSeq: number
}

export interface ExecuteAnswer {
  __typename: string
  run?: ShownRun
  replayed?: boolean
  code?: string
  message?: string
  path?: string
  issues?: { path: string; message: string }[]
}

const RUN_FIELDS = `id status result heartbeat lastSeq error { code message retryable details }
  attempts { number status error { code message } }
  events { seq from to reason attempt data actor }`

export const EXECUTE = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
  ... on ExecuteActionPayload { replayed run { ${RUN_FIELDS} } }
  ... on Error { code message } ... on InvalidParamsError { issues { path message } } ... on InvalidInputError { path } } }`

export const GET_RUN = `query($id: ID!) { run(id: $id) { ${RUN_FIELDS} } }`

export async function startTestServer(
  actions: readonly Action[],
  options: Partial<ServeOptions> = {},
): Promise<TestServer> {
  const server = await start(actions, { ...options, databaseUrl: options.databaseUrl ?? (await testDatabase()) })
  onTestFinished(() => server.stop())
  return server
}

/** One server for those tests of a file that are not in each other's way: that have nothing recorded, or only look at their own. */
export function sharedServer(actions: readonly Action[], options: Partial<ServeOptions> = {}): () => TestServer {
  let server: TestServer | undefined
  beforeAll(async () => {
    const started = await start(actions, { ...options, databaseUrl: await testDatabase() })
    server = started
    return () => started.stop()
  })
  return () => {
    if (!server) throw new Error('no test has begun')
    return server
  }
}

async function start(
  actions: readonly Action[],
  { databaseUrl, ...options }: Partial<ServeOptions> & { databaseUrl: string },
): Promise<TestServer> {
  const server = await serve({
    actions,
    port: 0,
    host: '127.0.0.1',
    databaseUrl,
    // each is a process of Postgres that has to start
    databaseConnections: 10,
    apiKey: API_KEY,
    logLevel: 'error',
    handleSignals: false,
    printBanner: false,
    shutdownTimeoutMs: 2_000,
    // the suite runs with notifications off as well
    notify: process.env.DO_NOTIFY === 'off' ? 'off' : 'on',
    pollMs: 200,
    ...options,
  })
  return {
    ...server,
    ...apiClient(server.url),
    databaseUrl,
    advance(ms) {
      server.executor.db.clock.offsetMs += ms
      server.executor.lookAtEverything()
    },
  }
}

export function apiClient(url: string): ApiClient {
  const post: ApiClient['post'] = async (body, headers = {}) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}`, ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as GraphqlAnswer }
  }
  const query: ApiClient['query'] = async (document, variables = {}) => {
    const { body } = await post({ query: document, variables })
    if (body.errors) throw new Error(JSON.stringify(body.errors))
    return body.data as never
  }
  return {
    post,
    query,
    execute: async (input) => (await query<{ executeAction: ExecuteAnswer }>(EXECUTE, { input })).executeAction,
  }
}
