import { mkdtempSync, rmSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPaymentService } from '../payment-service.ts'

type Service = Awaited<ReturnType<typeof startPaymentService>>

const CHARGE = { customerId: 'usr_1', amountCents: 1200, currency: 'usd' }

let directory: string
let storeFile: string
let service: Service

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'payments-'))
  storeFile = join(directory, 'charges.jsonl')
  service = await startPaymentService({ storeFile })
})

afterEach(async () => {
  await service.stop()
  rmSync(directory, { recursive: true })
})

function post(key: string | undefined, body: unknown = CHARGE, path = '/charges') {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
  return fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('a new key makes a charge', async () => {
  const response = await post('a')
  expect(response.status).toBe(201)
  expect(await response.json()).toMatchObject({
    ...CHARGE,
    idempotencyKey: 'a',
    chargeId: expect.stringMatching(/^ch_/),
  })
  expect(response.headers.has('idempotent-replayed')).toBe(false)
})

test('the same key again answers with the same charge', async () => {
  const first = await (await post('a')).json()
  const again = await post('a')
  expect(again.status).toBe(200)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await again.json()).toEqual(first)
  expect(service.charges()).toHaveLength(1)
})

test('requests with one key that come at once make one charge', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('a')))
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201])
  expect(service.charges()).toHaveLength(1)
})

test('the same key with another body is refused', async () => {
  await post('a')
  const response = await post('a', { ...CHARGE, amountCents: 1300 })
  expect(response.status).toBe(422)
  expect(service.charges()).toHaveLength(1)
})

test('a request without a key, or that makes no sense, is refused', async () => {
  expect((await post(undefined)).status).toBe(400)
  expect((await post('a', { ...CHARGE, amountCents: 0 })).status).toBe(400)
  expect((await fetch(`${service.url}/nowhere`)).status).toBe(404)
  expect(service.charges()).toEqual([])
})

test('charges and requests can be listed over HTTP', async () => {
  await post('a')
  const list = async (path: string) => (await fetch(service.url + path)).json()
  expect(await list('/charges')).toEqual(service.charges())
  expect(await list('/requests')).toEqual([{ idempotencyKey: 'a', at: expect.any(String), answered: 201 }])
})

test.for([
  ['fail', 500],
  ['decline', 402],
  ['busy', 429],
] as const)('%s answers %i, charges nothing and keeps no memory of the key', async ([mode, status]) => {
  service.behave({ mode, times: 1 })
  expect((await post('a')).status).toBe(status)
  expect(service.charges()).toEqual([])
  expect((await post('a')).status).toBe(201)
})

test('busy says when to come back', async () => {
  service.behave({ mode: 'busy' })
  expect((await post('a')).headers.get('retry-after')).toBe('1')
})

test('decline does not undo what was charged before', async () => {
  await post('a')
  service.behave({ mode: 'decline' })
  expect((await post('a')).status).toBe(200)
})

test('lose-answer makes the charge and cuts the connection', async () => {
  service.behave({ mode: 'lose-answer', times: 1 })
  await expect(post('a')).rejects.toThrow('fetch failed')
  expect(service.charges()).toHaveLength(1)
  expect(service.requests()).toMatchObject([{ answered: 'lost' }])
  expect((await post('a')).headers.get('idempotent-replayed')).toBe('true')
})

test('slow has charged before it answers', async () => {
  service.behave({ mode: 'slow', delayMs: 60_000 })
  const hangsUp = new AbortController()
  const answer = fetch(`${service.url}/charges`, {
    method: 'POST',
    headers: { 'idempotency-key': 'a' },
    body: JSON.stringify(CHARGE),
    signal: hangsUp.signal,
  })
  await expect.poll(() => service.charges()).toHaveLength(1)
  expect(service.requests()).toMatchObject([{ idempotencyKey: 'a', answered: null }])
  hangsUp.abort()
  await expect(answer).rejects.toThrow('aborted')
})

test('slow answers after the delay', async () => {
  service.behave({ mode: 'slow', delayMs: 1 })
  expect((await post('a')).status).toBe(201)
})

test('another process can tell it how to behave, for so many requests', async () => {
  expect((await post(undefined, { mode: 'fail', times: 2 }, '/behavior')).status).toBe(200)
  const statuses = [await post('a'), await post('a'), await post('a')].map(({ status }) => status)
  expect(statuses).toEqual([500, 500, 201])
  expect((await post(undefined, { mode: 'confused' }, '/behavior')).status).toBe(400)
})

test('charges outlive the service, except a line that a crash cut short', async () => {
  const charge = await (await post('a')).json()
  await service.stop()
  await appendFile(storeFile, '{"chargeId":"ch_cut')
  service = await startPaymentService({ storeFile })
  expect(await (await post('a')).json()).toEqual(charge)
  await post('b')
  await service.stop()
  service = await startPaymentService({ storeFile })
  expect(service.charges().map(({ idempotencyKey }) => idempotencyKey)).toEqual(['a', 'b'])
})
