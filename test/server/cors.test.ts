import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { type RawAnswer, rawPost, rawRequest } from '../support/raw-http.ts'
import { startTestServer } from '../support/server.ts'

const good = action('good', { run: () => 'done' })
const QUERY = JSON.stringify({ query: '{ actions { name } }' })
const OURS = 'https://app.example.com'

const preflight = (url: string, origin: string) =>
  rawRequest(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })

const corsHeaders = ({ headers }: RawAnswer) => Object.keys(headers).filter((name) => name.startsWith('access-control'))

test('without origins no page of another site may call', async () => {
  const server = await startTestServer([good])
  const answers = [await preflight(server.url, OURS), await rawPost(server.url, QUERY, { origin: OURS })]
  expect(answers.flatMap(corsHeaders)).toEqual([])
})

test('the pages of a configured origin may call, and read a refusal too', async () => {
  const server = await startTestServer([good], { corsOrigins: ['https://other.example.com', OURS] })
  const before = await preflight(server.url, OURS)
  expect(before.status).toBe(204)
  expect(before.headers).toMatchObject({
    'access-control-allow-origin': OURS,
    'access-control-allow-methods': expect.stringContaining('POST'),
    'access-control-allow-headers': expect.stringMatching(/authorization.*content-type/i),
    vary: expect.stringContaining('Origin'),
  })
  const call = await rawPost(server.url, QUERY, { origin: OURS })
  expect(call.status).toBe(200)
  expect(call.headers['access-control-allow-origin']).toBe(OURS)
  const refused = await rawPost(server.url, QUERY, { origin: OURS, authorization: 'Bearer wrong' })
  expect(refused.status).toBe(401)
  expect(refused.headers['access-control-allow-origin']).toBe(OURS)
})

test.each([
  'https://evil.example',
  'http://app.example.com',
  'https://app.example.com:8443',
  'null',
  `${OURS}.evil.example`,
])('a page of %s may not call when another origin is configured', async (origin) => {
  const server = await startTestServer([good], { corsOrigins: [OURS] })
  const answers = [await preflight(server.url, origin), await rawPost(server.url, QUERY, { origin })]
  expect(answers.flatMap(corsHeaders)).toEqual([])
  // a cache must not give one origin's answer to another
  expect(answers.map(({ headers }) => headers.vary)).toEqual(['Origin', 'Origin'])
})

test('with * the pages of every origin may call, without credentials', async () => {
  const server = await startTestServer([good], { corsOrigins: ['*'] })
  const answer = await preflight(server.url, 'https://anybody.example')
  expect(answer.headers['access-control-allow-origin']).toBe('https://anybody.example')
  expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
})
