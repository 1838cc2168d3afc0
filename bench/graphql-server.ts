import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { Database } from '../src/db/client.ts'
import type { RunRow } from '../src/db/rows.ts'
import type { Executor } from '../src/executor/executor.ts'
import { schema } from '../src/schema/index.ts'
import { ApiKeys } from '../src/server/api-keys.ts'
import { Documents } from '../src/server/documents.ts'
import { createGraphql } from '../src/server/graphql.ts'
import { createHttp } from '../src/server/http.ts'
import { shortPath } from '../src/server/json-post.ts'
import { BENCH_KEY } from './bench-key.ts'

/** A server of one contender, in a process of its own: tells its address, and its CPU time whenever it is asked. */
export const CONTENDERS = ['node:http', 'yoga', 'action.do'] as const
export type Contender = (typeof CONTENDERS)[number]

const SELECTED = `{ __typename ... on ExecuteActionPayload { replayed run { id status result error { code message } } }
  ... on Error { code message } }`
export const BENCH_QUERY = {
  one: `mutation($input: ExecuteActionInput!) { executeAction(input: $input) ${SELECTED} }`,
  many: `mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) ${SELECTED} }`,
}

const RUN = { kind: 'ACTION', id: '01980000-0000-7000-8000-000000000001', status: 'SUCCEEDED', error: null }
const EXECUTED = { run: { ...RUN, result: { ok: true } } as RunRow, replayed: false }

/** The same answer, written by hand: what any server on node:http must pay. */
function handWritten() {
  const run = { id: 'run_01k00000000000000000000001', status: 'SUCCEEDED', result: { ok: true }, error: null }
  const member = { __typename: 'ExecuteActionPayload', replayed: false, run }
  return createServer(async (req, res) => {
    const { variables } = JSON.parse(await text(req))
    const data = variables.inputs ? { executeActions: variables.inputs.map(() => member) } : { executeAction: member }
    const body = JSON.stringify({ data })
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  })
}

/** The server's own layers, over fields that answer from memory. */
function product() {
  const fields = schema.getMutationType()?.getFields() ?? {}
  if (fields.executeAction) fields.executeAction.resolve = async () => EXECUTED
  if (fields.executeActions)
    fields.executeActions.resolve = async (_, { inputs }: { inputs: unknown[] }) => inputs.map(() => EXECUTED)
  const log = pino({ level: 'warn' })
  const executor = { db: {} } as Executor
  const documents = new Documents()
  return createHttp({
    graphql: shortPath(createGraphql(executor, documents, log), documents, executor),
    keys: new ApiKeys({} as Database, BENCH_KEY),
    metrics: new Registry(),
    corsOrigins: [],
    maxBodyBytes: 8_388_608,
    ready: async () => true,
    callbacks: async () => {},
    log,
  }).server
}

if (process.send) {
  const server = process.argv[2] === 'node:http' ? handWritten() : product()
  server.listen(0, '127.0.0.1', () => {
    process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`)
  })
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.on('disconnect', () => process.exit(0))
}
