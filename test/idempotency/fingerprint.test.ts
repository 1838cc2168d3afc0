import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { API_KEY, EXECUTE, type ExecuteAnswer, startTestServer, type TestServer } from '../support/server.ts'

/** Keeps what it was given: the effect's own store. */
async function startKeeper(): Promise<{ server: TestServer; kept: unknown[] }> {
  const kept: unknown[] = []
  const keep = action('keep', { run: ({ params }) => kept.push(params) })
  return { server: await startTestServer([keep]), kept }
}

/** Sends params as this very JSON text. */
async function executeText({ url }: TestServer, params: string, idempotencyKey = 'one'): Promise<ExecuteAnswer> {
  const input = `{ "name": "keep", "idempotencyKey": ${JSON.stringify(idempotencyKey)}, "params": ${params} }`
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: `{ "query": ${JSON.stringify(EXECUTE)}, "variables": { "input": ${input} } }`,
  })
  const { data, errors } = (await response.json()) as { data?: { executeAction: ExecuteAnswer }; errors?: unknown }
  if (!data) throw new Error(JSON.stringify(errors))
  return data.executeAction
}

/** Sends each under one key, in order; `same` where it replays the first, else its refusal. */
async function compare(server: TestServer, key: string, texts: readonly string[]): Promise<(string | undefined)[]> {
  const verdicts: (string | undefined)[] = []
  for (const text of texts) {
    const { replayed, code } = await executeText(server, text, key)
    verdicts.push(replayed === undefined ? code : replayed ? 'same' : 'new')
  }
  return verdicts
}

test('6: the same key with other params is a mismatch that names the run, and leaves it as it was', async () => {
  const { server, kept } = await startKeeper()
  const first = await executeText(server, '{ "amount": 1 }')
  const document = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
    ... on IdempotencyMismatchError { code run { id } } } }`
  const input = { name: 'keep', idempotencyKey: 'one', params: { amount: 2 } }
  const { executeAction } = await server.query<{ executeAction: object }>(document, { input })
  expect(executeAction).toEqual({
    __typename: 'IdempotencyMismatchError',
    code: 'IDEMPOTENCY_MISMATCH',
    run: { id: first.run?.id },
  })
  expect(await executeText(server, '{ "amount": 1 }')).toEqual({ ...first, replayed: true })
  expect(kept).toEqual([{ amount: 1 }])
})

test('8: the order of members, white space, and 1.0 for 1 make no difference', async () => {
  const { server, kept } = await startKeeper()
  const texts = [
    '{"a":1,"b":{"c":[1,2],"d":null}}',
    '{ "b" : { "d" : null,\n\t"c" : [ 1, 2 ] }, "a" : 1 }',
    '{"a":1.0,"b":{"c":[1e0,0.2e1],"d":null}}',
    '{"\\u0061":10e-1,"b":{"c":[1,2],"d":null}}',
  ]
  expect(await compare(server, 'one', texts)).toEqual(['new', 'same', 'same', 'same'])
  // the order of a list is its content
  expect(await compare(server, 'one', ['{"a":1,"b":{"c":[2,1],"d":null}}'])).toEqual(['IDEMPOTENCY_MISMATCH'])
  expect(kept).toHaveLength(1)
})

test('8: params in the document and params as a variable make no difference', async () => {
  const { server, kept } = await startKeeper()
  const first = await executeText(server, '{ "a": 1.5, "b": ["x", null] }')
  const { executeAction } = await server.query<{ executeAction: ExecuteAnswer }>(
    `mutation { executeAction(input: { name: "keep", idempotencyKey: "one", params: { b: ["x", null], a: 1.50 } }) {
      ... on ExecuteActionPayload { replayed run { id } } } }`,
  )
  expect(executeAction).toEqual({ replayed: true, run: { id: first.run?.id } })
  expect(kept).toHaveLength(1)
})

test('9: null, an absent member and a default given in full are three different requests', async () => {
  const kept: unknown[] = []
  const keep = action('keep', {
    params: z.object({ currency: z.string().nullable().default('EUR') }),
    run: ({ params }) => kept.push(params),
  })
  const server = await startTestServer([keep])
  const texts = ['{}', '{"currency":null}', '{"currency":"EUR"}'] as const
  for (const [i, text] of texts.entries()) {
    const verdicts = await compare(server, `key-${i}`, [text, ...texts])
    expect(verdicts).toEqual(['new', ...texts.map((other) => (other === text ? 'same' : 'IDEMPOTENCY_MISMATCH'))])
  }
  // the handler sees the default all the same
  expect(kept).toEqual([{ currency: 'EUR' }, { currency: null }, { currency: 'EUR' }])
})

test('9: absent params are {}; null is a value of its own', async () => {
  const { server, kept } = await startKeeper()
  const absent = await server.execute({ name: 'keep', idempotencyKey: 'one' })
  expect(absent).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED' } })
  expect(await compare(server, 'one', ['{}', 'null'])).toEqual(['same', 'IDEMPOTENCY_MISMATCH'])
  expect(kept).toEqual([{}])
})

test('10: Unicode forms stay apart, numbers are doubles, and of duplicate members the last one counts', async () => {
  const { server, kept } = await startKeeper()
  // é as one code point and as two
  const forms = ['{"name":"\u00e9"}', '{"name":"e\u0301"}', '{"name":"\\u00e9"}']
  expect(await compare(server, 'forms', forms)).toEqual(['new', 'IDEMPOTENCY_MISMATCH', 'same'])
  expect(await compare(server, 'zero', ['{"n":0}', '{"n":-0}', '{"n":-0.0}'])).toEqual(['new', 'same', 'same'])
  const large = ['{"n":9007199254740993}', '{"n":9007199254740992}', '{"n":9007199254740994}']
  expect(await compare(server, 'large', large)).toEqual(['new', 'same', 'IDEMPOTENCY_MISMATCH'])
  const twice = ['{"a":1,"a":2}', '{"a":2}', '{"a":1}']
  expect(await compare(server, 'twice', twice)).toEqual(['new', 'same', 'IDEMPOTENCY_MISMATCH'])
  expect(kept).toEqual([{ name: '\u00e9' }, { n: 0 }, { n: 2 ** 53 }, { a: 2 }])
  // a document says it clearly
  const document = 'mutation { executeAction(input: { name: "keep", params: { a: 1, a: 2 } }) { __typename } }'
  const { body } = await server.post({ query: document })
  expect(body.errors?.[0]?.message).toContain('only one input field named "a"')
  expect(kept).toHaveLength(4)
})

test('10: what has no canonical form is refused: numbers beyond a double, lone surrogates', async () => {
  const { server, kept } = await startKeeper()
  for (const text of ['{"n":1e400}', '{"s":"\\ud800"}', '{"\\udc00":1}', '{"s":"\\u0000"}'])
    expect(await executeText(server, text)).toMatchObject({ code: 'INVALID_PARAMS' })
  expect(kept).toEqual([])
  expect(await compare(server, 'one', ['{}'])).toEqual(['new'])
})

test('32: an empty key, 256 characters, and control characters are INVALID_IDEMPOTENCY_KEY', async () => {
  const { server, kept } = await startKeeper()
  const bad = ['', 'k'.repeat(256), '🔑'.repeat(256), 'a\nb', 'a\u0000b', '\u007f', 'a\u0085b', 'a\u2028b', '\ud800']
  for (const key of bad) {
    const answer = await executeText(server, '{}', key)
    expect(answer, JSON.stringify(key)).toMatchObject({ code: 'INVALID_IDEMPOTENCY_KEY' })
  }
  expect(kept).toEqual([])
  // 255 characters are counted as people count them, and white space is part of a key
  const good = ['k'.repeat(255), '🔑'.repeat(255), 'Ünïcode', 'a', ' a', 'a ', 'A']
  for (const key of good) expect(await compare(server, key, ['{}', '{}']), key).toEqual(['new', 'same'])
  expect(kept).toHaveLength(good.length)
})
