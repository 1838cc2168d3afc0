import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSchema, createYoga } from 'graphql-yoga'
import { sendGraphiql } from '../../src/server/graphiql.ts'

export const KEY = 'test-key-0123456789'
export const RUN_ID = 'run_01jq3v8k2xe5t9m4c7w6h0abcd'

/** As much of the API as the page and its first examples need. */
const typeDefs = /* GraphQL */ `
  scalar JSON
  enum ErrorCode { INVALID_PARAMS }
  interface Error { code: ErrorCode! message: String! }
  type Issue { path: String! message: String! }
  type InvalidParamsError implements Error { code: ErrorCode! message: String! issues: [Issue!]! }
  type RunError { code: String! message: String! }
  interface Run { id: ID! name: String! status: String! result: JSON error: RunError }
  type ActionRun implements Run { id: ID! name: String! status: String! result: JSON error: RunError }
  type ExecuteActionPayload { run: ActionRun! replayed: Boolean! }
  union ExecuteActionResult = ExecuteActionPayload | InvalidParamsError
  input ExecuteActionInput { name: String! params: JSON idempotencyKey: String }
  type RunEvent { seq: Int! step: String from: String to: String! reason: String! at: String! }
  type Query { run(id: ID!): Run }
  type Mutation { executeAction(input: ExecuteActionInput!): ExecuteActionResult! }
  type Subscription { runEvents(id: ID!): RunEvent! }
`

export interface TestServer {
  url: string
  /** The run ids that subscriptions asked for, and those that have been left again. */
  watched: string[]
  left: string[]
  stop(): Promise<void>
}

export async function startTestServer(): Promise<TestServer> {
  const watched: string[] = []
  const left: string[] = []
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers: resolvers(watched, left) }), logging: false })
  const server = createServer((req, res) => {
    if (req.method !== 'POST' && req.headers.accept?.includes('text/html')) return sendGraphiql(req, res)
    if (req.headers.authorization !== `Bearer ${KEY}`) {
      res.writeHead(401, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ errors: [{ message: 'no valid API key', extensions: { code: 'UNAUTHENTICATED' } }] }))
      return
    }
    return yoga(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/graphql`, watched, left, stop: () => stop(server) }
}

const resolvers = (watched: string[], left: string[]) => {
  const run = { __typename: 'ActionRun', id: RUN_ID, name: 'send-welcome-email', status: 'SUCCEEDED' }
  return {
    Query: { run: () => run },
    Mutation: {
      executeAction: (_: unknown, { input }: { input: { params: unknown } }) => ({
        __typename: 'ExecuteActionPayload',
        run: { ...run, result: { echo: input.params } },
        replayed: false,
      }),
    },
    Subscription: {
      runEvents: {
        subscribe: (_: unknown, { id }: { id: string }) => {
          watched.push(id)
          return ticking(() => left.push(id))
        },
        resolve: (seq: number) => ({
          seq,
          from: 'QUEUED',
          to: 'RUNNING',
          reason: 'CLAIMED',
          at: '2030-01-01T00:00:00Z',
        }),
      },
    },
  }
}

/** Counts until it is left: what a client sees of it can only be a stream. */
async function* ticking(onLeave: () => void): AsyncGenerator<number> {
  try {
    for (let seq = 1; ; seq += 1) {
      yield seq
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    onLeave()
  }
}

function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}
