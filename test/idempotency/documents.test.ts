import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { API_KEY, type ExecuteAnswer, type GraphqlAnswer, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

async function startCounter(): Promise<{ server: TestServer; done: number[] }> {
  const done: number[] = []
  const add = action('add', {
    params: z.object({ n: z.number() }),
    run: ({ params }) => ({ sum: done.push(params.n) && done.reduce((a, b) => a + b) }),
  })
  return { server: await startTestServer([add]), done }
}

const FIELDS = '{ __typename ... on ExecuteActionPayload { replayed run { id status result } } ... on Error { code } }'

/** One mutation, of this alias. */
const add = (alias: string, key: string, n: number) =>
  `${alias}: executeAction(input: { name: "add", params: { n: ${n} }, idempotencyKey: "${key}" }) ${FIELDS}`

test('30: two keyed mutations in one document are independent', async () => {
  const { server, done } = await startCounter()
  const both = await server.query<Record<string, ExecuteAnswer>>(
    `mutation { ${add('a', 'one', 1)} ${add('b', 'two', 2)} }`,
  )
  expect(both).toMatchObject({ a: { replayed: false, run: { result: { sum: 1 } } }, b: { replayed: false } })
  expect(done).toEqual([1, 2])

  // what becomes of one does not touch the other: a mismatch, a replay, and a new one
  const mixed = `mutation { ${add('a', 'one', 5)} ${add('b', 'two', 2)} ${add('c', 'three', 3)} }`
  expect(await server.query(mixed)).toMatchObject({
    a: { code: 'IDEMPOTENCY_MISMATCH' },
    b: { replayed: true, run: { id: both.b?.run?.id } },
    c: { replayed: false, run: { result: { sum: 6 } } },
  })
  expect(done).toEqual([1, 2, 3])
})

test('31: the same key twice in one document: one execution', async () => {
  const { server, done } = await startCounter()
  const answer = await server.query<Record<string, ExecuteAnswer>>(
    `mutation { ${add('a', 'one', 1)} ${add('b', 'one', 1)} ${add('c', 'one', 2)} }`,
  )
  expect(answer.a?.replayed).toBe(false)
  expect(answer.b).toEqual({ ...answer.a, replayed: true })
  expect(answer.c?.code).toBe('IDEMPOTENCY_MISMATCH')
  expect(done).toEqual([1])
})

test('31: the same key many times in one executeActions: one execution', async () => {
  const { server, done } = await startCounter()
  const inputs = Array.from({ length: 100 }, (_, i) => ({
    name: 'add',
    params: { n: i % 2 },
    idempotencyKey: `key ${i % 2}`,
  }))
  const { executeActions } = await server.query<{ executeActions: ExecuteAnswer[] }>(
    `mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) ${FIELDS} }`,
    { inputs },
  )
  expect(executeActions).toHaveLength(100)
  expect(executeActions.filter(({ replayed }) => replayed === false)).toHaveLength(2)
  expect(new Set(executeActions.map(({ run }) => run?.id)).size).toBe(2)
  for (const input of inputs.slice(0, 2)) expect(await server.execute(input)).toMatchObject({ replayed: true })
  expect(done.sort()).toEqual([0, 1])
})

test('31: the same key twice in a long executeActions, far apart: one execution, and each answer in its place', async () => {
  const { server, done } = await startCounter()
  const inputs = Array.from({ length: 700 }, (_, i) => ({
    name: 'add',
    params: { n: i % 400 },
    idempotencyKey: `key ${i % 400}`,
  }))
  const { executeActions } = await server.query<{ executeActions: ExecuteAnswer[] }>(
    `mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) ${FIELDS} }`,
    { inputs },
  )
  const ids = executeActions.map(({ run }) => run?.id)
  expect(new Set(ids).size).toBe(400)
  expect(ids).toEqual(ids.map((_, i) => ids[i % 400]))
  expect(executeActions.map(({ replayed }) => replayed)).toEqual(inputs.map((_, i) => i >= 400))
  for (const i of [0, 399]) expect((await server.execute({ ...inputs[i]!, waitMs: 5_000 })).run?.id).toBe(ids[i])
  await until(() => done.length === 400)
  expect(new Set(done).size).toBe(400)
})

test('31: the same key twice in one batch of requests: one execution', async () => {
  const { server, done } = await startCounter()
  const requests = Array.from({ length: 20 }, () => ({ query: `mutation { ${add('a', 'one', 1)} }` }))
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify(requests),
  })
  const answers = ((await response.json()) as GraphqlAnswer[]).map(({ data }) => data?.a as ExecuteAnswer)
  expect(answers).toHaveLength(20)
  expect(answers.filter(({ replayed }) => replayed === false)).toHaveLength(1)
  expect(new Set(answers.map(({ run }) => run?.id)).size).toBe(1)
  for (const { run } of answers) expect(run).toMatchObject({ status: 'SUCCEEDED', result: { sum: 1 } })
  expect(done).toEqual([1])
})
