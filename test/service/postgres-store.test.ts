import postgres, { type TransactionSql } from 'postgres'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  ActionFailed,
  createActionHandler,
  type PostgresStore,
  postgresStore,
  type ServiceAction,
} from '../../sdk/src/service/index.ts'
import { emptyDatabase } from '../support/database.ts'
import { SECRET } from '../support/http-service.ts'
import { latch } from '../support/runs.ts'
import { answerOf, callOf } from '../support/service-calls.ts'

type Tx = TransactionSql

let sql: postgres.Sql
let store: PostgresStore<Tx>

beforeEach(async () => {
  const url = new URL(await emptyDatabase())
  const host = url.searchParams.get('host')
  url.searchParams.delete('host')
  sql = postgres(url.href, { ...(host && { host }), onnotice: () => {} })
  onTestFinished(() => sql.end())
  store = postgresStore<Tx>({
    transaction: (work) => sql.begin(work) as never,
    query: (tx, text, values) => tx.unsafe(text, [...values]),
  })
  await Promise.all([store.setUp(), store.setUp()])
  await sql`create table effects (key text)`
})

const handlerOf = (run: ServiceAction<unknown, Tx>['run']) =>
  createActionHandler<Tx>({ secret: SECRET, store, actions: { act: { run } } })

const effects = async () => (await sql`select key from effects`).map(({ key }) => key)

test('the effect and the answer are committed together, and a repetition finds them', async () => {
  const handler = handlerOf(async ({ tx, idempotencyKey }) => {
    await tx`insert into effects values (${idempotencyKey})`
    return 'done'
  })
  for (let attempt = 1; attempt <= 3; attempt++)
    expect(await answerOf(await handler(callOf({ attempt })))).toEqual({ status: 200, body: 'done' })
  expect(await effects()).toEqual(['key-1'])
  expect((await handler(callOf({ params: { other: 1 } }))).status).toBe(422)
})

test('a failure that may pass leaves neither effect nor answer', async () => {
  let failing = true
  const handler = handlerOf(async ({ tx }) => {
    await tx`insert into effects values ('written')`
    if (failing) throw new Error('down')
    return 'done'
  })
  expect((await handler(callOf())).status).toBe(500)
  expect(await effects()).toEqual([])
  failing = false
  expect((await handler(callOf())).status).toBe(200)
  expect(await effects()).toEqual(['written'])
})

test('a permanent failure leaves its answer, and nothing of what it wrote', async () => {
  let runs = 0
  const handler = handlerOf(async ({ tx }) => {
    runs++
    await tx`insert into effects values ('written')`
    throw new ActionFailed('no', { code: 'NO' })
  })
  for (const _ of [1, 2])
    expect(await answerOf(await handler(callOf()))).toMatchObject({ status: 422, body: { code: 'NO' } })
  expect(runs).toBe(1)
  expect(await effects()).toEqual([])
})

test('a call that comes while another is under way is told to come again, and then finds the answer', async () => {
  const begun = latch()
  const mayEnd = latch()
  const handler = handlerOf(async ({ tx }) => {
    await tx`insert into effects values ('once')`
    begun.open()
    await mayEnd.opened
    return 'done'
  })
  const first = handler(callOf())
  await begun.opened
  const second = await handler(callOf({ attempt: 2 }))
  expect(second.headers.get('retry-after')).toBe('1')
  expect(await answerOf(second)).toMatchObject({ status: 409, body: { code: 'IN_PROGRESS' } })
  mayEnd.open()
  expect((await first).status).toBe(200)
  expect(await answerOf(await handler(callOf({ attempt: 3 })))).toEqual({ status: 200, body: 'done' })
  expect(await effects()).toEqual(['once'])
})

test('answers that are old are forgotten', async () => {
  const handler = handlerOf(() => 'done')
  await handler(callOf())
  await store.forget(3_600_000)
  expect(await sql`select from action_answers`).toHaveLength(1)
  await sql`update action_answers set answered_at = now() - interval '2 h'`
  await store.forget(3_600_000)
  expect(await sql`select from action_answers`).toHaveLength(0)
})
