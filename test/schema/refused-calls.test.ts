import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { recorded, refused } from '../support/refusals.ts'
import { sharedServer, startTestServer } from '../support/server.ts'

const greet = action('greet', {
  params: z.object({ name: z.string(), address: z.object({ city: z.string() }).optional() }),
  run: ({ params }) => `Hello ${params.name}`,
})
const good = { name: 'greet', params: { name: 'Ada' } }

/** For what is refused. */
const shared = sharedServer([greet])

test('an unknown action is refused with the names of those that exist, and its key stays free', async () => {
  const server = await startTestServer([greet])
  expect(await refused(server, { name: 'great', idempotencyKey: 'k' })).toMatchObject({
    __typename: 'ActionNotFoundError',
    code: 'ACTION_NOT_FOUND',
    message: 'There is no action "great". Registered are: greet.',
  })
  expect(await server.execute({ ...good, idempotencyKey: 'k' })).toMatchObject({ replayed: false })
})

test('params that do not fit are refused with the path of each problem, and the key stays free', async () => {
  const server = await startTestServer([greet])
  const bad = { ...good, params: { name: 5, address: { city: null } }, idempotencyKey: 'k' }
  const { __typename, code, issues } = await refused(server, bad)
  expect({ __typename, code }).toEqual({ __typename: 'InvalidParamsError', code: 'INVALID_PARAMS' })
  expect(issues?.map(({ path }) => path)).toEqual(['name', 'address.city'])
  expect(issues?.every(({ message }) => message.length > 0)).toBe(true)
  expect(await server.execute({ ...good, idempotencyKey: 'k' })).toMatchObject({ replayed: false })
})

test('absent params are {}, and null is a value of its own', async () => {
  const anything = action('anything', { run: ({ params }) => ({ given: params }) })
  const server = await startTestServer([anything, greet])
  expect((await server.execute({ name: 'anything' })).run?.result).toEqual({ given: {} })
  expect((await server.execute({ name: 'anything', params: null })).run?.result).toEqual({ given: null })
  expect((await refused(server, { name: 'greet' })).issues?.[0]?.path).toBe('name')
  expect((await refused(server, { name: 'greet', params: null })).issues?.[0]?.path).toBe('')
})

test('params over the limit are refused by their size in bytes, and the key stays free', async () => {
  const server = await startTestServer([greet], { maxParamsBytes: 1_000 })
  const sized = (bytes: number) => ({ name: 'é'.repeat((bytes - '{"name":""}'.length - 1) / 2).concat('x') })
  expect(Buffer.byteLength(JSON.stringify(sized(1_000)))).toBe(1_000)
  const over = { ...good, params: sized(1_002), idempotencyKey: 'k' }
  expect(await refused(server, over)).toMatchObject({
    __typename: 'PayloadTooLargeError',
    code: 'PAYLOAD_TOO_LARGE',
    message: expect.stringContaining('1002 bytes as JSON; the limit is 1000'),
  })
  const exact = await server.execute({ ...good, params: sized(1_000), idempotencyKey: 'k' })
  expect(exact).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED' } })
})

test.each([
  ['an empty key', '', 'is empty'],
  ['a key of 256 characters', 'k'.repeat(256), 'longer than 255'],
  ['a key of 256 characters outside of the BMP', '🔑'.repeat(256), 'longer than 255'],
  ['a line break', 'a\nb', 'control character'],
  ['a NUL', 'a\u0000b', 'control character'],
  ['a C1 control character', 'a\u0085b', 'control character'],
  ['a line separator', 'a\u2028b', 'control character'],
  ['a lone surrogate', 'a\ud800b', 'lone surrogate'],
])('%s is refused as an idempotency key', async (_, idempotencyKey, problem) => {
  const answer = await refused(shared(), { ...good, idempotencyKey })
  expect(answer).toMatchObject({ __typename: 'InvalidIdempotencyKeyError', code: 'INVALID_IDEMPOTENCY_KEY' })
  expect(answer.message).toContain(problem)
})

test('a key of 255 characters is good, whatever they take as UTF-16 or UTF-8', async () => {
  const server = await startTestServer([greet])
  for (const idempotencyKey of ['k'.repeat(255), '🔑'.repeat(255), ' ', "'; drop table runs; --"]) {
    expect(await server.execute({ ...good, idempotencyKey })).toMatchObject({ replayed: false })
    expect(await server.execute({ ...good, idempotencyKey })).toMatchObject({ replayed: true })
  }
})

const DAY = 86_400_000
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY).toISOString()

test.each([
  ['waitMs', -1],
  ['waitMs', 300_001],
  ['waitMs', 2_147_483_647],
  ['priority', 1_001],
  ['priority', -1_001],
  ['runAt', daysFromNow(-2)],
  ['runAt', '0001-01-01T00:00:00Z'],
  ['runAt', daysFromNow(40_000)],
  ['runAt', '9999-12-31T23:59:59Z'],
])('%s of %j is refused by its name, and the key stays free', async (path, value) => {
  const server = await startTestServer([greet])
  const input = { ...good, idempotencyKey: 'k' }
  expect(await refused(server, { ...input, [path]: value })).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    path,
    message: expect.stringContaining(path),
  })
  expect(await server.execute(input)).toMatchObject({ replayed: false })
})

test('the ends of each range are accepted', async () => {
  const server = await startTestServer([greet])
  for (const edge of [{ waitMs: 300_000 }, { priority: 1_000 }, { priority: -1_000 }, { runAt: daysFromNow(-0.9) }])
    expect((await server.execute({ ...good, ...edge })).run?.status).toBe('SUCCEEDED')
  const later = await server.execute({ ...good, runAt: daysFromNow(36_000), waitMs: 0 })
  expect(later.run?.status).toBe('SCHEDULED')
})

test('one bad call in executeActions has its own refusal and spoils no other', async () => {
  const server = await startTestServer([greet])
  const inputs = [good, { name: 'none' }, { name: 'greet', params: {} }, { ...good, idempotencyKey: '' }, good]
  const { executeActions } = await server.query<{ executeActions: { __typename: string }[] }>(
    'mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) { __typename } }',
    { inputs },
  )
  expect(executeActions.map(({ __typename }) => __typename)).toEqual([
    'ExecuteActionPayload',
    'ActionNotFoundError',
    'InvalidParamsError',
    'InvalidIdempotencyKeyError',
    'ExecuteActionPayload',
  ])
})

test('executeActions takes 1,000 calls and refuses one more without recording any', async () => {
  const server = await startTestServer([greet])
  const mutation = 'mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) { __typename } }'
  const inputs = Array.from({ length: 1_001 }, () => good)
  const { body } = await server.post({ query: mutation, variables: { inputs } })
  expect(body.errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT'])
  expect(await recorded(server)).toBe(0)
  const answer = await server.query<{ executeActions: object[] }>(mutation, { inputs: inputs.slice(1) })
  expect(answer.executeActions).toEqual(inputs.slice(1).map(() => ({ __typename: 'ExecuteActionPayload' })))
})
