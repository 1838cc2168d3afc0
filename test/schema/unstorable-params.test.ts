import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { errorCodes, rawInput, recorded, refused } from '../support/refusals.ts'
import { API_KEY, type ExecuteAnswer, startTestServer, type TestServer } from '../support/server.ts'

const anything = action('anything', { run: ({ params }) => ({ given: params }) })

const echo = action('echo', { run: ({ params }) => params })

const nested = (levels: number, inmost: unknown = 0): unknown =>
  levels === 0 ? inmost : { in: nested(levels - 1, inmost) }

async function sendRaw(server: TestServer, json: string): Promise<ExecuteAnswer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` }
  const response = await fetch(server.url, { method: 'POST', headers, body: rawInput(json) })
  const { data } = (await response.json()) as { data: { executeAction: ExecuteAnswer } }
  return data.executeAction
}

/** Writes params into the document itself. */
async function sendLiteral(server: TestServer, params: string, name = 'anything'): Promise<ExecuteAnswer> {
  const fields =
    '__typename ... on ExecuteActionPayload { run { result } } ... on InvalidParamsError { issues { path } }'
  const query = `mutation { executeAction(input: { name: "${name}", params: ${params} }) { ${fields} } }`
  return (await server.query<{ executeAction: ExecuteAnswer }>(query)).executeAction
}

test.each([
  ['a NUL in a value', { a: { b: ['x\u0000'] } }, 'a.b.0', 'NUL'],
  ['a NUL in the name of a member', { a: { 'x\u0000': 1 } }, 'a', 'name contains a NUL'],
  ['a lone high surrogate', { a: '\ud800' }, 'a', 'lone surrogate'],
  ['a lone low surrogate', { a: ['\udc00x'] }, 'a.0', 'lone surrogate'],
  ['a lone surrogate in the name of a member', { '\ud800': 1 }, '', 'name contains a lone surrogate'],
  ['a NUL as the whole value', '\u0000', '', 'NUL'],
])('%s is refused with its path, and the key stays free', async (_, params, path, problem) => {
  const server = await startTestServer([anything])
  const answer = await refused(server, { name: 'anything', params, idempotencyKey: 'k' })
  expect(answer).toMatchObject({ __typename: 'InvalidParamsError', code: 'INVALID_PARAMS' })
  expect(answer.issues).toEqual([{ path, message: expect.stringContaining(problem) }])
  const good = await server.execute({ name: 'anything', params: { a: '🔑 \u0001 ￿' }, idempotencyKey: 'k' })
  expect(good).toMatchObject({ replayed: false, run: { result: { given: { a: '🔑 \u0001 ￿' } } } })
})

test('params are nested up to 100 levels deep, in variables', async () => {
  const server = await startTestServer([anything, echo])
  expect((await server.execute({ name: 'echo', params: nested(100) })).run?.result).toEqual(nested(100))
  const answer = await refused(server, { name: 'anything', params: nested(101), idempotencyKey: 'k' })
  expect(answer.issues).toEqual([{ path: 'in.in.in.in.in', message: 'is nested deeper than 100 levels' }])
  expect(await server.execute({ name: 'anything', idempotencyKey: 'k' })).toMatchObject({ replayed: false })
})

test('a value that is 100,000 levels deep is refused and harms nobody', async () => {
  const server = await startTestServer([anything])
  const deep = `{"name":"anything","params":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  expect(await sendRaw(server, deep)).toMatchObject({ __typename: 'InvalidParamsError' })
  expect(await recorded(server)).toBe(0)
  expect((await server.execute({ name: 'anything' })).run?.status).toBe('SUCCEEDED')
})

test('params are nested up to 100 levels deep, in the document itself', async () => {
  const server = await startTestServer([echo])
  const literal = (levels: number) => `${'{ in: '.repeat(levels)}0${' }'.repeat(levels)}`
  expect((await sendLiteral(server, literal(100), 'echo')).run?.result).toEqual(nested(100))
  const before = await recorded(server)
  expect((await sendLiteral(server, literal(101), 'echo')).issues).toEqual([{ path: 'in.in.in.in.in' }])
  expect(await recorded(server)).toBe(before)
})

test('a document that is thousands of levels deep is refused before it is parsed', async () => {
  const server = await startTestServer([anything])
  const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels)
  for (const levels of [201, 2_000, 5_000, 100_000])
    for (const document of [
      deep('{ a ', '}', levels),
      `{ actions(a: ${deep('[', ']', levels)}) { name } }`,
      `query($a: ${deep('[', ']', levels)}) { actions { name } }`,
    ])
      expect(await errorCodes(server, document)).toEqual(['BAD_USER_INPUT'])
  expect((await server.execute({ name: 'anything' })).run?.status).toBe('SUCCEEDED')
})

test('a document of more than 15,000 words is refused', async () => {
  const server = await startTestServer([anything])
  const codes = await errorCodes(server, `{ actions { ${'name '.repeat(15_000)} } }`)
  expect(codes).toEqual(['GRAPHQL_PARSE_FAILED'])
})

test('brackets inside of strings and comments are no nesting', async () => {
  const server = await startTestServer([anything])
  const text = '['.repeat(500)
  const answer = await sendLiteral(server, `{ text: "${text}", block: """${text}""" } # ${text}\n`)
  expect(answer.run?.result).toEqual({ given: { text, block: text } })
})

test('every kind of literal arrives as the JSON that it stands for, variables inside of it too', async () => {
  const server = await startTestServer([anything])
  const query = `mutation($v: JSON, $none: JSON) { executeAction(input: { name: "anything", params: {
    i: -7, f: 1.5e3, s: "x", b: true, n: null, e: WORD, l: [1, [2]], o: { v: $v }, none: $none } })
    { ... on ExecuteActionPayload { run { result } } } }`
  const answer = await server.query<{ executeAction: ExecuteAnswer }>(query, { v: { w: [1] } })
  expect(answer.executeAction.run?.result).toEqual({
    given: { i: -7, f: 1500, s: 'x', b: true, n: null, e: 'WORD', l: [1, [2]], o: { v: { w: [1] } }, none: null },
  })
})

test('numbers that JSON cannot hold are refused', async () => {
  const server = await startTestServer([anything])
  expect((await sendLiteral(server, '{ n: 1e400 }')).issues).toEqual([{ path: 'n' }])
  expect((await sendRaw(server, '{"name":"anything","params":{"n":-1e400}}')).issues).toMatchObject([{ path: 'n' }])
  expect(await recorded(server)).toBe(0)
})

test('a member called __proto__ is data like any other', async () => {
  const server = await startTestServer([anything])
  const answer = await sendRaw(server, '{"name":"anything","params":{"__proto__":{"polluted":true}}}')
  expect(JSON.stringify(answer.run?.result)).toBe('{"given":{"__proto__":{"polluted":true}}}')
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})
