import { readFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { broken, done, mail } from '../../examples/workflows/actions.ts'
import * as shop from '../../examples/workflows/shop.ts'
import { workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

beforeEach(() => {
  done.length = 0
  broken.clear()
})

const start = () => startWorkflowServer({ workflows: Object.values(shop) })
const ORDER = { orderId: 'o1', email: 'ada@example.test', cents: 900 }

test('the order does what the documentation says, in code and as data', async () => {
  const server = await start()
  const run = await server.run({ name: 'order', params: ORDER })
  expect(run.result).toMatchObject({
    chargeId: expect.stringMatching(/^ch_run_/),
    parcel: 'parcel from B7',
    mailed: true,
  })
  expect(done).toEqual(['reserve o1', 'charge o1 900', 'mail ada@example.test: On its way: parcel from B7'])

  const definition: unknown = JSON.parse(
    readFileSync(new URL('../../examples/workflows/order.json', import.meta.url), 'utf8'),
  )
  const asData = await server.run({ definition, params: { ...ORDER, orderId: 'o2' } })
  expect(asData.result).toEqual({ parcel: 'parcel from B7', mailed: true })
  const free = await server.run({ definition, params: { ...ORDER, cents: 0 } })
  expect(statesOf(free)).toMatchObject({ charge: 'SKIPPED', mail: 'SUCCEEDED' })
})

test('an order whose card is declined is undone; one whose mail is lost is not', async () => {
  const server = await start()
  broken.add('mail')
  expect((await server.run({ name: 'order', params: ORDER })).result).toMatchObject({ mailed: false })
  broken.add('bank')
  done.length = 0
  const undone = await server.run({ name: 'order', params: ORDER })
  expect(undone).toMatchObject({ status: 'COMPENSATED', error: { details: { step: 'charge', code: 'CARD_DECLINED' } } })
  expect(done).toEqual(['reserve o1', 'release o1'])
})

test('branches meet where all of them have ended', async () => {
  const server = await start()
  const results = await Promise.all(
    [
      { cents: 20_000, wrap: true },
      { cents: 500, wrap: false },
    ].map(async (params) => (await server.run({ name: 'gift', params })).result),
  )
  expect(results).toEqual([
    { cents: 18_000, with: 'a card on red paper' },
    { cents: 500, with: 'nothing' },
  ])
})

test('a race, a list, a loop and a recursion end as described', async () => {
  const server = await start()
  const race = await server.run({ name: 'shipping', params: { grams: 5 } })
  expect(race.result).toBe('post')
  expect(statesOf(race).patience).toBe('CANCELED')
  const carriers = ['bus', 'plane', 'ox']
  const list = await server.run({ name: 'quotes', params: { grams: 5, carriers } })
  expect(list.result).toEqual({ carrier: 'ox', cents: 200 })
  expect((await server.run({ name: 'delivery', params: { parcel: 'p' } })).result).toEqual({ delivered: true })
  await server.run({ name: 'launch' })
  expect(done).toEqual(['mail ground: 2, 1, 0, lift-off'])
})

test('a list has enough, and another is added to', async () => {
  const server = await start()
  const offers = await server.run({ name: 'offers', params: { carriers: ['bus', 'plane', 'ox'] } })
  expect(offers.result).toHaveLength(2)
  const { id } = (await server.start({ name: 'stocktaking' })).run!
  for (const payload of ['B2', 'C3']) await operate(server, 'signalRun', { id, name: 'another-shelf', payload })
  await operate(server, 'signalRun', { id, name: 'opened' })
  await expect.poll(async () => (await server.look(id)).result).toHaveLength(3)
})

test('a refund waits for the parcel, for a decision and for its day', async () => {
  const server = await start()
  const params = { cents: 20_000, notBefore: '2026-01-01T00:00:00Z' }
  const { id } = (await server.start({ name: 'refund', params })).run!
  await operate(server, 'signalRun', { id, name: 'returned', payload: { grams: 700 } })
  await expect.poll(async () => statesOf(await server.look(id)).agreed).toBe('WAITING')
  await operate(server, 'signalRun', { id, name: 'agreed', payload: { approved: true } })
  await expect.poll(async () => (await server.look(id)).result).toBe(20_000)
})

test('a shipment as data lists, decides, waits and repeats', async () => {
  const server = await start()
  const definition: unknown = JSON.parse(
    readFileSync(new URL('../../examples/workflows/shipment.json', import.meta.url), 'utf8'),
  )
  const begin = async (orderId: string, cents: number) => {
    const params = { orderId, customer: 'ada', cents, carriers: ['bus', 'plane', 'ox'] }
    return (await server.start({ definition, params })).run!.id
  }
  const over = (id: string) =>
    operate(server, 'signalRun', { id, name: 'handed-over', payload: { parcel: 'parcel from B7' } })
  const small = await begin('o3', 900)
  const large = await begin('o4', 20_000)
  await expect.poll(async () => statesOf(await server.look(large)).go).toBe('WAITING')
  await operate(server, 'signalRun', { id: large, name: 'go', payload: { approved: true } })
  for (const id of [small, large]) expect(await over(id)).toMatchObject({ __typename: 'SignalRunPayload' })
  const result = { offers: [300, 500, 200], delivered: true }
  await expect.poll(async () => (await server.look(small)).result).toEqual({ ...result, decided: 'nobody was asked' })
  await expect.poll(async () => (await server.look(large)).result).toEqual({ ...result, decided: 'go' })
  expect(done.toSorted()).toEqual(['charge o3 900', 'charge o4 20000'])

  const refused = await begin('o5', 20_000)
  await expect.poll(async () => statesOf(await server.look(refused)).go).toBe('WAITING')
  await operate(server, 'signalRun', { id: refused, name: 'go', payload: { approved: false } })
  await expect.poll(async () => (await server.look(refused)).result).toMatchObject({ decided: 'no', delivered: false })
  expect(done).toHaveLength(2)
})

test('a payment that was declined is retried when the bank is back', async () => {
  const server = await start()
  broken.add('bank')
  const failed = await server.run({ name: 'pay', params: { orderId: 'o7', cents: 5, customer: 'ada' } })
  expect(failed).toMatchObject({ status: 'FAILED', error: { details: { step: 'charge' } } })
  const { retryPreview } = await server.query<{ retryPreview: object }>(
    'query($id: ID!) { retryPreview(id: $id, step: "charge") { ... on RetryPreview { again { stepKey } } } }',
    { id: failed.id },
  )
  expect(retryPreview).toEqual({ again: [{ stepKey: 'charge' }] })
  broken.clear()
  await operate(server, 'retryRun', { id: failed.id, step: 'charge', reason: 'the bank is back' })
  await expect.poll(async () => (await server.look(failed.id)).status).toBe('SUCCEEDED')
  expect(done).toEqual(['charge o7 5'])
})

test('one order is charged once, whoever asks', async () => {
  const server = await start()
  const params = { orderId: 'o9', cents: 5, customer: 'ada' }
  const runs = await Promise.all([1, 2, 3].map(() => server.run({ name: 'pay', params })))
  expect(new Set(runs.map(({ result }) => JSON.stringify(result))).size).toBe(1)
  expect(done).toEqual(['charge o9 5'])
})

test('a run that began with an earlier version goes on with it', async () => {
  const [old] = shop.greeting.previous
  const first = await startWorkflowServer({ workflows: [old!] })
  const { id } = (await first.start({ name: 'greeting' })).run!
  await first.stop()
  const second = await startWorkflowServer({ databaseUrl: first.databaseUrl, workflows: [shop.greeting] })
  await operate(second, 'signalRun', { id, name: 'name', payload: 'Ada' })
  await expect.poll(async () => (await second.look(id)).result).toBe('Hello, Ada')
  const now = (await second.start({ name: 'greeting' })).run!
  await operate(second, 'signalRun', { id: now.id, name: 'name', payload: 'Ada' })
  await expect.poll(() => done).toEqual(['mail everybody: Good morning, Ada'])
})

test('a run whose graph no server has waits for one that has it', async () => {
  const to = (text: string) => () => ({ to: 'a', text })
  const was = workflow('w').signal('go').step('mail', mail, to('as it was'))
  const first = await startWorkflowServer({ workflows: [was] })
  const { id } = (await first.start({ name: 'w' })).run!
  await first.stop()
  const changed = workflow('w').signal('go').sleep('rest', 1).step('mail', mail, to('as it is'))
  const second = await startWorkflowServer({ databaseUrl: first.databaseUrl, workflows: [changed] })
  await operate(second, 'signalRun', { id, name: 'go' })
  await expect.poll(async () => statesOf(await second.look(id))).toEqual({ go: 'QUEUED', mail: 'PENDING' })
  await second.stop()
  const third = await startWorkflowServer({ databaseUrl: first.databaseUrl, workflows: [was] })
  await expect.poll(async () => (await third.look(id)).status, { timeout: 10_000 }).toBe('SUCCEEDED')
  expect(done).toEqual(['mail a: as it was'])
})
