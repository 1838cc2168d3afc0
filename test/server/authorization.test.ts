import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { action } from '../../src/index.ts'
import { codeIn, JSON_TYPE, rawPost, rawRequest } from '../support/raw-http.ts'
import { recorded } from '../support/refusals.ts'
import { API_KEY, sharedServer, startTestServer } from '../support/server.ts'
import { webSocketClient } from '../support/subscriptions.ts'

const double = action('double', { run: ({ params }) => params })

/** For what is refused. */
const shared = sharedServer([double])
const EXECUTE = JSON.stringify({ query: 'mutation { executeAction(input: { name: "double" }) { __typename } }' })

const refusedHeaders: [string, Record<string, string>][] = [
  ['no key', {}],
  ['a wrong key', { authorization: 'Bearer wrong-key-0123456789' }],
  ['the beginning of the key', { authorization: `Bearer ${API_KEY.slice(0, -1)}` }],
  ['the key and more', { authorization: `Bearer ${API_KEY}x` }],
  ['an empty key', { authorization: 'Bearer ' }],
  ['the key in another scheme', { authorization: `Basic ${API_KEY}` }],
  ['the key without a scheme', { authorization: API_KEY }],
]

test.each(refusedHeaders)('%s is answered with 401, however it comes', async (_, headers) => {
  const server = shared()
  const length = { 'content-length': String(EXECUTE.length) }
  const sse = { accept: 'text/event-stream' }
  const answers = await Promise.all([
    rawRequest(server.url, { method: 'POST', headers: { ...JSON_TYPE, ...length, ...headers }, body: EXECUTE }),
    rawRequest(server.url, { method: 'POST', headers: { ...JSON_TYPE, ...length, ...headers, ...sse }, body: EXECUTE }),
    rawRequest(`${server.url}?query=${encodeURIComponent('{ actions { name } }')}`, { headers }),
    rawRequest(`${server.url}?query=${encodeURIComponent('subscription { runs { id } }')}`, {
      headers: { ...headers, ...sse },
    }),
  ])
  for (const answer of answers) {
    expect(answer.status).toBe(401)
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(codeIn(answer)).toBe('UNAUTHENTICATED')
    expect(answer.body).not.toContain(API_KEY)
  }
  expect(await recorded(server)).toBe(0)
})

test('the scheme is read whatever its case', async () => {
  const server = await startTestServer([double])
  const answer = await rawPost(server.url, EXECUTE, { authorization: `bearer ${API_KEY}` })
  expect(answer.status).toBe(200)
})

test.each([
  ['no key', undefined],
  ['null', null],
  ['an empty object', {}],
  ['a wrong key', { apiKey: 'wrong-key-0123456789' }],
  ['a wrong header', { authorization: 'Bearer wrong-key-0123456789' }],
  ['a key without a scheme', { authorization: API_KEY }],
  ['a key that is no text', { apiKey: { key: API_KEY } }],
])('a WebSocket that is opened with %s is closed and answers nothing', async (_, payload) => {
  const server = shared()
  const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws')
  const closed = once(socket, 'close').then(([code]) => code)
  const answered = once(socket, 'message').then(([message]) => String(message))
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', ...(payload !== undefined && { payload }) }))
  // "Forbidden", the protocol's own code
  expect(await Promise.race([answered, closed])).toBe(4403)
})

test('a WebSocket that asks before it has shown a key is closed', async () => {
  const server = shared()
  const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws')
  await once(socket, 'open')
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: JSON.parse(EXECUTE) }))
  expect((await once(socket, 'close'))[0]).toBe(4401)
  expect(await recorded(server)).toBe(0)
})

test.each([{ apiKey: API_KEY }, { authorization: `Bearer ${API_KEY}` }])(
  'a WebSocket that is opened with %j answers',
  async (connectionParams) => {
    const server = shared()
    const client = webSocketClient(server.url, connectionParams)
    const answers = client.iterate({ query: '{ actions { name } }' })
    expect((await answers.next()).value).toEqual({ data: { actions: [{ name: 'double' }] } })
  },
)

test('a WebSocket is served at /graphql only', async () => {
  const server = shared()
  const socket = new WebSocket(server.url.replace('http', 'ws').replace('/graphql', '/other'), 'graphql-transport-ws')
  const [error] = await once(socket, 'error')
  expect(String(error)).toContain('404')
})

test('what an API key does is recorded with its name', async () => {
  const server = await startTestServer([double])
  expect((await server.execute({ name: 'double' })).run?.events[0]?.actor).toBe('DO_API_KEY')
})
