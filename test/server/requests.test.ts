import { afterEach, expect, test, vi } from 'vitest'
import { action } from '../../src/index.ts'
import { BEARER, codeIn, JSON_TYPE, rawPost, rawRequest } from '../support/raw-http.ts'
import { recorded } from '../support/refusals.ts'
import { API_KEY, sharedServer, startTestServer } from '../support/server.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const double = action('double', { run: ({ params }) => params })

/** For what is refused. */
const shared = sharedServer([double])
const EXECUTE = 'mutation { executeAction(input: { name: "double" }) { __typename } }'

test.each([
  ['malformed JSON', '{"query":', 400],
  ['an empty body', '', 400],
  ['a number', '5', 400],
  ['null', 'null', 400],
  ['a query that is no text', '{"query":5}', 400],
  ['variables that are no object', '{"query":"{ actions { name } }","variables":"x"}', 400],
])('%s as a body is refused', async (_, body, status) => {
  const server = shared()
  const answer = await rawPost(server.url, body)
  expect(answer.status).toBe(status)
  expect(codeIn(answer)).toBe('BAD_REQUEST')
  expect(answer.body).not.toMatch(/node_modules|\n? +at |stack/)
})

test('a body without a query is refused', async () => {
  const server = shared()
  expect(codeIn(await rawPost(server.url, '{}'))).toBe('BAD_REQUEST')
})

test('a body over the limit is refused before it is read', async () => {
  const server = shared()
  const headers = { ...BEARER, ...JSON_TYPE, 'content-length': '8388609' }
  const answer = await rawRequest(server.url, { method: 'POST', headers, body: '{' })
  expect(answer.status).toBe(413)
  expect(codeIn(answer)).toBe('PAYLOAD_TOO_LARGE')
  expect(answer.headers.connection).toBe('close')
})

test('the largest body grows with the limit of params', async () => {
  const server = await startTestServer([double], { maxParamsBytes: 4_000_000 })
  const params = 'x'.repeat(3_999_998)
  expect((await server.execute({ name: 'double', params: params.slice(2_999_000) })).run?.status).toBe('SUCCEEDED')
  const inputs = [params, params, params].map((text) => ({ name: 'double', params: text }))
  const query = 'mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) { __typename } }'
  const { status, body } = await server.post({ query, variables: { inputs } })
  expect({ status, body }).toEqual({
    status: 200,
    body: { data: { executeActions: inputs.map(() => ({ __typename: 'ExecuteActionPayload' })) } },
  })
})

test('a body of unknown length is refused', async () => {
  const server = shared()
  const headers = { ...BEARER, ...JSON_TYPE }
  const answer = await rawRequest(server.url, { method: 'POST', headers, body: '{"query":"{ actions { name } }"}' })
  expect(answer.status).toBe(411)
  expect(codeIn(answer)).toBe('LENGTH_REQUIRED')
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/graphql',
])('a body of the type %s is refused, as any page of the web could send it or it is no JSON', async (type) => {
  const server = shared()
  const body = type.includes('form-urlencoded') ? `query=${encodeURIComponent(EXECUTE)}` : EXECUTE
  const answer = await rawPost(server.url, body, { 'content-type': type })
  expect(answer.status).toBe(415)
  expect(codeIn(answer)).toBe('UNSUPPORTED_MEDIA_TYPE')
  expect(await recorded(server)).toBe(0)
})

test('a body without a type is refused', async () => {
  const server = shared()
  const headers = { ...BEARER, 'content-length': String(EXECUTE.length) }
  const answer = await rawRequest(server.url, { method: 'POST', headers, body: EXECUTE })
  expect(answer.status).toBe(415)
})

test('a batch of 100 operations is answered one by one, and one of 101 is refused as a whole', async () => {
  const server = await startTestServer([double])
  const batch = (size: number) => JSON.stringify(Array.from({ length: size }, () => ({ query: EXECUTE })))
  const over = await rawPost(server.url, batch(101))
  expect(over.status).toBe(413)
  expect(codeIn(over)).toBe('BAD_REQUEST')
  expect(await recorded(server)).toBe(0)
  const answers = JSON.parse((await rawPost(server.url, batch(100))).body) as { data?: object }[]
  expect(answers.map(({ data }) => data)).toEqual(
    Array.from({ length: 100 }, () => ({ executeAction: { __typename: 'ExecuteActionPayload' } })),
  )
})

test('GET runs queries and never mutations', async () => {
  const server = shared()
  const get = (query: string) => rawRequest(`${server.url}?query=${encodeURIComponent(query)}`, { headers: BEARER })
  const query = await get('{ actions { name } }')
  expect({ status: query.status, body: JSON.parse(query.body) }).toEqual({
    status: 200,
    body: { data: { actions: [{ name: 'double' }] } },
  })
  const mutation = await get(EXECUTE)
  expect(mutation.status).toBe(405)
  expect(mutation.headers.allow).toContain('POST')
  expect(await recorded(server)).toBe(0)
})

test.each(['PUT', 'DELETE', 'PATCH'])('%s is no method of the API', async (method) => {
  const server = shared()
  const answer = await rawRequest(server.url, { method, headers: BEARER })
  expect(answer.status).toBe(405)
})

test('an operation name that the document does not have is refused', async () => {
  const server = shared()
  const query = 'query A { actions { name } } query B { actions { name } }'
  for (const operationName of ['C', undefined]) {
    const answer = await rawPost(server.url, JSON.stringify({ query, operationName }))
    expect(answer.status).toBe(400)
    expect(codeIn(answer)).toBe('OPERATION_RESOLUTION_FAILURE')
  }
  const { body } = await server.post({ query, operationName: 'B' })
  expect(body.data).toEqual({ actions: [{ name: 'double' }] })
})

test.each(['production', 'development'])('a fault says nothing of its inside in %s, and has a code', async (mode) => {
  vi.stubEnv('NODE_ENV', mode)
  const server = await startTestServer([double], { logLevel: 'silent' })
  await server.executor.db.hot`alter view action_do.attempts rename to attempts_elsewhere`
  await server.executor.db.hot`alter table action_do.runs rename to runs_elsewhere`
  const { body } = await server.post({ query: '{ runs { nodes { id } } }' })
  expect(body.errors).toEqual([expect.objectContaining({ message: 'Unexpected error.' })])
  expect(body.errors?.[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' })
  expect(JSON.stringify(body)).not.toMatch(new RegExp(`action_do|relation|select|postgres|${API_KEY}`, 'i'))
})
