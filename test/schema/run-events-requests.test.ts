import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { overSse, overWebSocket } from '../support/subscriptions.ts'

const double = action('double', { run: ({ params }) => params })
const WATCH = 'subscription($id: ID!, $after: Int) { runEvents(id: $id, after: $after) { seq to } }'

/** The codes of the errors, of a subscription that is to answer once and complete, over both transports. */
async function refusals(server: TestServer, query: string, variables: object): Promise<unknown[]> {
  const sse = await overSse(server.url, query, variables)
  expect(sse.completed).toBe(true)
  const both = [sse.answers, await overWebSocket(server.url, query, variables)]
  return both.map((answers) => {
    expect(answers).toHaveLength(1)
    expect(answers[0]?.data ?? null).toBeNull()
    return answers[0]?.errors?.map(({ extensions }) => extensions?.code)
  })
}

test.each([`run_${'0'.repeat(26)}`, 'x', ''])('the events of the unknown run %j are one error', async (id) => {
  const server = await startTestServer([double])
  expect(await refusals(server, WATCH, { id })).toEqual([['RUN_NOT_FOUND'], ['RUN_NOT_FOUND']])
})

test.each([-1, 3, 2_147_483_647])('the cursor %d of a run with two events is one error', async (after) => {
  const server = await startTestServer([double])
  const { run } = await server.execute({ name: 'double' })
  expect(run?.lastSeq).toBe(2)
  expect(await refusals(server, WATCH, { id: run?.id, after })).toEqual([['INVALID_INPUT'], ['INVALID_INPUT']])
})

test('a cursor at the newest event of an ended run completes at once', async () => {
  const server = await startTestServer([double])
  const { run } = await server.execute({ name: 'double' })
  const variables = { id: run?.id, after: 2 }
  expect(await overSse(server.url, WATCH, variables)).toEqual({ answers: [], completed: true })
  expect(await overWebSocket(server.url, WATCH, variables)).toEqual([])
})

test('a bad filter of the runs to watch is one error', async () => {
  const server = await startTestServer([double])
  const query = 'subscription($filter: RunFilter) { runs(filter: $filter) { id } }'
  const filter = { idempotencyKey: 'k' }
  expect(await refusals(server, query, { filter })).toEqual([['BAD_USER_INPUT'], ['BAD_USER_INPUT']])
})

test('malformed operations over WebSocket are answered with errors that have codes', async () => {
  const server = await startTestServer([double])
  const failed = async (query: string, variables = {}): Promise<unknown> => {
    const errors = await overWebSocket(server.url, query, variables).then(
      (answers) => answers.flatMap(({ errors: inside }) => inside ?? []),
      (thrown: { extensions?: object }[]) => thrown,
    )
    return errors.map(({ extensions }) => Reflect.get(extensions ?? {}, 'code'))
  }
  expect(await failed('{ nothing }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
  expect(await failed('{ actions { name }')).toEqual(['GRAPHQL_PARSE_FAILED'])
  expect(await failed('query($id: ID!) { run(id: $id) { id } }')).toEqual(['BAD_USER_INPUT'])
  expect(await failed(`${'{ a '.repeat(5_000)}${'}'.repeat(5_000)}`)).toEqual(['BAD_USER_INPUT'])
  expect(await failed('subscription { runEvents { seq } }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
})
