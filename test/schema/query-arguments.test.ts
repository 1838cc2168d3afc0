import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { errorCodes, recorded } from '../support/refusals.ts'
import { sharedServer, startTestServer } from '../support/server.ts'

const double = action('double', { run: ({ params }) => params })

/** For what is refused. */
const shared = sharedServer([double])

const RUNS = `query($first: Int, $after: String, $last: Int, $before: String, $filter: RunFilter) {
  runs(first: $first, after: $after, last: $last, before: $before, filter: $filter) { nodes { id } } }`

const cursor = (text: string) => Buffer.from(text).toString('base64url')
const ID = '00000000-0000-7000-8000-000000000000'

test.each([
  { first: -1 },
  { last: -1 },
  { first: 501 },
  { first: 2_147_483_647 },
  { last: 501 },
  { first: 2_147_483_648 },
  { first: 1.5 },
  { first: '10' },
  { first: 10, last: 10 },
  { after: '' },
  { after: 'x' },
  { before: '💥' },
  { after: cursor(`1:${ID} or true`) },
  { after: cursor(`-1:${ID}`) },
  { before: cursor('1:run') },
  { after: cursor(`8640000000000001:${ID}`) },
  { after: cursor(`999999999999999:${ID}`) },
  { filter: { idempotencyKey: 'k' } },
  { filter: { name: 'a\u0000' } },
  { filter: { status: ['DONE'] } },
  { filter: { status: [null] } },
  { filter: { kind: 'STEP' } },
  { filter: { unknown: true } },
  { filter: { createdAfter: 'yesterday' } },
  { filter: { createdAfter: '2026-01-31' } },
  { filter: { createdAfter: '2026-01-31T12:00:00' } },
  { filter: { createdAfter: '2026-02-30T12:00:00Z' } },
  { filter: { createdAfter: '2026-01-31T25:00:00Z' } },
  { filter: { createdAfter: '0000-12-31T12:00:00Z' } },
  { filter: { createdBefore: '9999-12-31T23:59:59-12:00' } },
  { filter: { createdBefore: 1_700_000_000 } },
])('runs refuses %j', async (variables) => {
  const server = shared()
  expect(await errorCodes(server, RUNS, variables)).toEqual(['BAD_USER_INPUT'])
})

test('a moment in the document that is none is refused with its place', async () => {
  const server = shared()
  const { body } = await server.post({ query: '{ runs(filter: { createdAfter: "yesterday" }) { nodes { id } } }' })
  expect(body.errors).toMatchObject([
    {
      message: expect.stringMatching(/moment with an offset/),
      locations: [{ line: 1, column: 32 }],
      extensions: { code: 'BAD_USER_INPUT' },
    },
  ])
})

test('moments are read with any offset, and to the millisecond', async () => {
  const server = await startTestServer([double])
  await server.execute({ name: 'double' })
  for (const createdAfter of [
    '0001-01-01T00:00:00Z',
    '2020-02-29T12:00:00.123456789+05:30',
    '2020-01-01T00:00:00-12:00',
  ])
    expect(await server.query(RUNS, { filter: { createdAfter } })).toMatchObject({ runs: { nodes: [{}] } })
  expect(await server.query(RUNS, { filter: { createdAfter: '9999-12-31T23:59:59Z' } })).toEqual({
    runs: { nodes: [] },
  })
})

test.each([
  '',
  'x',
  'run_',
  'run_0',
  `user_${'0'.repeat(26)}`,
  `run_${'u'.repeat(26)}`,
  `run_8${'0'.repeat(25)}`,
  ID,
  '\u0000',
  '🔑',
])('the id %j names nothing', async (id) => {
  const server = shared()
  expect(await server.query('query($id: ID!) { run(id: $id) { id } node(id: $id) { id } }', { id })).toEqual({
    run: null,
    node: null,
  })
  const controls = `mutation($id: ID!) {
      cancelRun(input: { id: $id }) { __typename ... on Error { code } }
      retryRun(input: { id: $id, params: {} }) { __typename ... on Error { code } } }`
  const notFound = { __typename: 'RunNotFoundError', code: 'RUN_NOT_FOUND' }
  expect(await server.query(controls, { id })).toEqual({ cancelRun: notFound, retryRun: notFound })
  expect(await recorded(server)).toBe(0)
})

test.each([
  ['waitMs as text', { name: 'double', waitMs: '5' }],
  ['waitMs beyond an Int', { name: 'double', waitMs: 3e9 }],
  ['a malformed runAt', { name: 'double', runAt: 'tomorrow' }],
  ['runAt on a day that there is not', { name: 'double', runAt: '2027-02-29T00:00:00Z' }],
  ['a priority with a fraction', { name: 'double', priority: 0.5 }],
  ['a name that is null', { name: null }],
  ['no name', {}],
  ['a number as a key', { name: 'double', idempotencyKey: 7 }],
  ['an unknown member', { name: 'double', wait: 5 }],
  ['a list', [{ name: 'double' }, { name: 'double' }]],
])('executeAction refuses %s', async (_, input) => {
  const server = shared()
  const mutation = 'mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename } }'
  expect(await errorCodes(server, mutation, { input })).toEqual(['BAD_USER_INPUT'])
  expect(await recorded(server)).toBe(0)
})

test('a variable that is missing is refused', async () => {
  const server = shared()
  expect(await errorCodes(server, 'query($id: ID!) { run(id: $id) { id } }')).toEqual(['BAD_USER_INPUT'])
})

test('a document that does not fit the schema is refused with a code', async () => {
  const server = shared()
  expect(await errorCodes(server, '{ nothing }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
  expect(await errorCodes(server, '{ actions { name }')).toEqual(['GRAPHQL_PARSE_FAILED'])
  expect(await errorCodes(server, '{ runs(first: "1") { nodes { id } } }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
})

test.each([{ after: -1 }, { first: -1 }, { first: 1_001 }])('the events of a run refuse %j', async (variables) => {
  const server = await startTestServer([double])
  const { run } = await server.execute({ name: 'double' })
  const query =
    'query($id: ID!, $after: Int, $first: Int) { run(id: $id) { events(after: $after, first: $first) { seq } } }'
  expect(await errorCodes(server, query, { id: run?.id, ...variables })).toEqual(['BAD_USER_INPUT'])
})
