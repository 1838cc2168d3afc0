import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { action } from '../../src/index.ts'
import { ApiKeys } from '../../src/server/api-keys.ts'
import { Documents } from '../../src/server/documents.ts'
import { createGraphql } from '../../src/server/graphql.ts'
import { createHttp } from '../../src/server/http.ts'
import { type GraphqlHandler, shortPath } from '../../src/server/json-post.ts'
import { BEARER, JSON_TYPE, type RawAnswer, type RawRequest, rawRequest } from '../support/raw-http.ts'
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts'

const double = action('double', { run: ({ params }) => params })
const EXECUTE = `mutation Go($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
  ... on ExecuteActionPayload { replayed run { id status params result } } ... on Error { code message } } }`
const ACTIONS = '{ actions { name effect retry { maxAttempts } } }'
const TWO = 'query A { actions { name } } query B { action(name: "double") { name } }'
const KEYED = { name: 'double', params: { a: [1, null, { b: 'ü€😀' }] }, idempotencyKey: 'known' }
const PROTO = '{"__proto__":1}'
const EVENTS = 'query($first: Int!) { runs(first: 1) { nodes { id events(first: $first) { seq } } } }'

/** The same executor behind two addresses: yoga alone, and with the short path before it. */
interface Both {
  readonly server: TestServer
  readonly yoga: string
  readonly short: string
  /** How many requests to `short` went on to yoga. */
  passedOn: number
}

let both: Both

beforeEach(async () => {
  const server = await startTestServer([double], { logLevel: 'silent' })
  await server.execute(KEYED)
  await server.post({
    query: EXECUTE,
    variables: { input: { ...KEYED, idempotencyKey: 'p', params: JSON.parse(PROTO) } },
  })
  const documents = new Documents()
  const log = pino({ level: 'silent' })
  const graphql = createGraphql(server.executor, documents, log)
  const counting = new Proxy(graphql, {
    apply: (target, self, args) => {
      both.passedOn++
      return Reflect.apply(target, self, args)
    },
  })
  const listen = async (handler: GraphqlHandler): Promise<string> => {
    const keys = new ApiKeys(server.executor.db, API_KEY)
    const parts = {
      keys,
      metrics: new Registry(),
      corsOrigins: [],
      maxBodyBytes: 100_000,
      ready: async () => true,
      callbacks: async () => {},
      log,
    }
    const http = createHttp({ ...parts, graphql: handler })
    await once(http.server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => http.close())
    return `http://127.0.0.1:${(http.server.address() as AddressInfo).port}/graphql`
  }
  const yoga = await listen((req, res, context) => graphql(req, res, context))
  both = { server, yoga, short: await listen(shortPath(counting, documents, server.executor)), passedOn: 0 }
})

function post(body: unknown, headers: Record<string, string> = {}): RawRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const length = { 'content-length': String(Buffer.byteLength(text)) }
  return { method: 'POST', headers: { ...BEARER, ...JSON_TYPE, ...length, ...headers }, body: text }
}

function get(query: string, headers: Record<string, string> = {}, method = 'GET'): RawRequest & { query: string } {
  return { method, headers: { ...BEARER, ...headers }, query: `?query=${encodeURIComponent(query)}` }
}

/** All that a client sees of an answer, but how it is framed and when it was sent. */
function seen({ status, headers, body }: RawAnswer): object {
  const { date, connection, 'keep-alive': _, 'content-length': length, 'transfer-encoding': framing, ...rest } = headers
  return { status, headers: rest, body }
}

/** Asks both, the short path twice: the first time it may not know the document. */
async function compare(request: RawRequest & { query?: string }): Promise<'short' | 'yoga'> {
  const expected = seen(await rawRequest(both.yoga + (request.query ?? ''), request))
  const url = both.short + (request.query ?? '')
  expect(seen(await rawRequest(url, request))).toEqual(expected)
  const before = both.passedOn
  expect(seen(await rawRequest(url, request))).toEqual(expected)
  return both.passedOn === before ? 'short' : 'yoga'
}

const accepting = (accept: string) => post({ query: ACTIONS }, { accept })
const wrong = (accept: string) => post({ query: EXECUTE, variables: { input: { name: 5 } } }, { accept })
const typed = (type: string) => post({ query: ACTIONS }, { 'content-type': type })
const deep = (depth: number) => `${'{ run(id: "x") '.repeat(depth)}{ id }${' }'.repeat(depth)}`

const taken: [string, RawRequest][] = [
  ['a query', post({ query: ACTIONS })],
  ['a mutation', post({ query: EXECUTE, variables: { input: KEYED } })],
  ['a refusal', post({ query: EXECUTE, variables: { input: { name: 'unknown' } } })],
  ['a mismatch', post({ query: EXECUTE, variables: { input: { ...KEYED, params: 5 } } })],
  ['one of two operations', post({ query: TWO, operationName: 'B' })],
  ['variables and operation name of null', post({ query: ACTIONS, variables: null, operationName: null })],
  ['variables that nobody asks for', post({ query: ACTIONS, variables: { more: 1 } })],
  ['__typename and aliases', post({ query: '{ __typename a: actions { b: name } }' })],
  ['introspection', post({ query: '{ __schema { types { name kind } } }' })],
  [
    'skipped fields',
    post({ query: 'query($s: Boolean!) { actions { name @skip(if: $s) effect } }', variables: { s: true } }),
  ],
  ['a missing variable', post({ query: EXECUTE })],
  ['a variable of a wrong type', wrong('application/json')],
  ['a variable of a wrong type, for the other media type', wrong('application/graphql-response+json')],
  ['an unknown member of a variable', post({ query: EXECUTE, variables: { input: { ...KEYED, more: 1 } } })],
  ['an argument out of its range', post({ query: EVENTS, variables: { first: 5_000 } })],
  [
    'the same for the other media type',
    post({ query: EVENTS, variables: { first: 5_000 } }, { accept: 'application/graphql-response+json' }),
  ],
  [
    'a member called __proto__',
    post(
      `{"query":${JSON.stringify(EXECUTE)},"variables":{"input":{"name":"double","params":${PROTO},"idempotencyKey":"p"}}}`,
    ),
  ],
  ['Accept: */*', accepting('*/*')],
  ['Accept: application/json', accepting('application/json')],
  ['Accept: application/graphql-response+json', accepting('application/graphql-response+json')],
  ['Accept as Apollo sends it', accepting('application/graphql-response+json,application/json;q=0.9')],
  [
    'Accept as urql sends it',
    accepting(
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    ),
  ],
  ['Accept with a wildcard last', accepting('application/json, text/plain, */*')],
  ['a charset', typed('application/json; charset=utf-8')],
]

const passedOn: [string, RawRequest & { query?: string }][] = [
  ['malformed JSON', post('{"query":')],
  ['an empty body', post('')],
  ['a byte order mark', post(`\uFEFF${JSON.stringify({ query: ACTIONS })}`)],
  ['a number', post('5')],
  ['null', post('null')],
  ['a batch', post([{ query: ACTIONS }, { query: '{ nothing }' }])],
  ['no query', post({ variables: {} })],
  ['a query that is no text', post({ query: 5 })],
  ['an empty query', post({ query: '' })],
  ['variables that are a list', post({ query: ACTIONS, variables: [] })],
  ['variables that are text', post({ query: ACTIONS, variables: '{}' })],
  ['an operation name that is a number', post({ query: TWO, operationName: 5 })],
  ['an empty operation name', post({ query: TWO, operationName: '' })],
  ['an unknown operation name', post({ query: TWO, operationName: 'C' })],
  ['two operations and no name', post({ query: TWO })],
  ['fragments alone', post({ query: 'fragment F on Query { actions { name } }' })],
  ['extensions', post({ query: ACTIONS, extensions: { persistedQuery: { version: 1, sha256Hash: 'ab' } } })],
  ['a persisted query without its text', post({ extensions: { persistedQuery: { version: 1, sha256Hash: 'ab' } } })],
  ['a parameter that nobody knows', post({ query: ACTIONS, more: 1 })],
  ['a syntax error', post({ query: '{ actions { name }' })],
  [
    'a syntax error, for the other media type',
    post({ query: '{ actions' }, { accept: 'application/graphql-response+json' }),
  ],
  ['an unknown field', post({ query: '{ actions { nothing } }' })],
  [
    'an unknown field, for the other media type',
    post({ query: '{ nothing }' }, { accept: 'application/graphql-response+json' }),
  ],
  ['@defer', post({ query: '{ ... @defer { actions { name } } }' })],
  ['a document that is too deep', post({ query: deep(300) })],
  ['a document of thousands of levels', post({ query: deep(5_000) })],
  ['a document of too many tokens', post({ query: `{ ${'a '.repeat(16_000)} }` })],
  ['a subscription', post({ query: 'subscription { runEvents(id: "x") { seq } }' })],
  [
    'a subscription over server-sent events',
    post({ query: 'subscription { runEvents(id: "x") { seq } }' }, { accept: 'text/event-stream' }),
  ],
  ['a query over server-sent events', accepting('text/event-stream')],
  ['a query over multipart/mixed', accepting('multipart/mixed')],
  ['Accept: application/xml', accepting('application/xml')],
  ['Accept: application/*', accepting('application/*')],
  ['an empty Accept', accepting('')],
  ['Accept in another charset', accepting('application/json;charset=iso-8859-1, */*')],
  ['an unusual type first', accepting('text/html, application/json')],
  ['application/graphql+json', typed('application/graphql+json')],
  ['a type in capitals', typed('Application/JSON')],
  ['a GET', get(ACTIONS)],
  ['a GET for the other media type', get('{ nothing }', { accept: 'application/graphql-response+json' })],
  ['a mutation by GET', get('mutation { cancelRun(input: { id: "x" }) { __typename } }')],
  ['HEAD', get(ACTIONS, {}, 'HEAD')],
  ['PUT', get(ACTIONS, {}, 'PUT')],
]

const refusedBefore: [string, RawRequest][] = [
  ['OPTIONS', { method: 'OPTIONS', headers: BEARER }],
  ['no key', { ...post({ query: ACTIONS }), headers: { ...JSON_TYPE, 'content-length': '1' } }],
  ['text/plain', typed('text/plain')],
  ['a body that is too large', post({ query: ACTIONS, variables: { x: 'x'.repeat(100_000) } })],
]

test('whatever a client sends, the short path answers exactly as yoga does, and takes what it is for', async () => {
  for (const [what, request] of taken) expect.soft([what, await compare(request)]).toEqual([what, 'short'])
  for (const [what, request] of passedOn) expect.soft([what, await compare(request)]).toEqual([what, 'yoga'])
  for (const [, request] of refusedBefore) await compare(request)
})

test('a fault and a database that is away are answered as yoga does', async () => {
  const faults = [
    post({ query: '{ a: actions { name } runs { nodes { id } } }' }),
    post({ query: EXECUTE, variables: { input: KEYED } }),
  ]
  for (const request of faults) await compare(request)
  await both.server.executor.db.hot`alter table action_do.runs rename to runs_elsewhere`
  for (const request of faults) expect(await compare(request)).toBe('short')
})

test('a client that breaks off in the middle of its body leaves the server answering', async () => {
  const broken = new AbortController()
  const headers = { ...BEARER, ...JSON_TYPE, 'content-length': '1000' }
  const body = new ReadableStream(
    { pull: (stream) => stream.enqueue(new TextEncoder().encode('{')) },
    { highWaterMark: 0 },
  )
  const sent = fetch(both.short, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
    signal: broken.signal,
  } as RequestInit)
  broken.abort()
  await expect(sent).rejects.toThrow()
  expect(await compare(post({ query: ACTIONS }))).toBe('short')
})
