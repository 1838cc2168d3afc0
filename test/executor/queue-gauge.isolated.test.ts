import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { queueDepths } from '../../src/db/reads/runs.ts'
import { QueueGauge } from '../../src/executor/queue-gauge.ts'
import { Gate } from './gate.ts'

vi.mock('../../src/db/reads/runs.ts', () => ({ queueDepths: vi.fn() }))

/** What the queue of each action holds. */
let queued: Map<string, number>
const count = vi.mocked(queueDepths)

beforeEach(() => {
  vi.useFakeTimers()
  queued = new Map()
  count.mockReset().mockImplementation(async () => new Map(queued))
})
afterEach(() => {
  vi.useRealTimers()
})

const gauge = (limit: number) => new QueueGauge({} as Database, limit)

/** Whether there was room for one more. */
const admit = async (to: QueueGauge, name: string) => (await to.enter(name, async () => ({}))) !== undefined

test('a queue admits as many runs as fit, and counts on by itself', async () => {
  const mail = gauge(3)
  expect([await admit(mail, 'mail'), await admit(mail, 'mail'), await admit(mail, 'mail')]).toEqual([true, true, true])
  expect(count).toHaveBeenCalledTimes(1)
  expect(count).toHaveBeenCalledWith({}, ['mail'], 3)
})

test('a refusal is always based on a fresh count', async () => {
  const mail = gauge(2)
  queued.set('mail', 2)
  expect(await admit(mail, 'mail')).toBe(false)
  expect(await admit(mail, 'mail')).toBe(false)
  expect(count).toHaveBeenCalledTimes(2)
  queued.set('mail', 1)
  expect(await admit(mail, 'mail')).toBe(true)
})

test('a count is used for one second', async () => {
  const mail = gauge(100)
  await admit(mail, 'mail')
  await vi.advanceTimersByTimeAsync(1_000)
  await admit(mail, 'mail')
  expect(count).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1)
  await admit(mail, 'mail')
  expect(count).toHaveBeenCalledTimes(2)
})

test('calls that come together share one count and none of them is admitted beyond the limit', async () => {
  const mail = gauge(5)
  queued.set('mail', 2)
  const admitted = await Promise.all(Array.from({ length: 20 }, () => admit(mail, 'mail')))
  expect(count).toHaveBeenCalledTimes(1)
  expect(admitted.filter(Boolean)).toHaveLength(3)
})

test('each action has a queue of its own', async () => {
  const both = gauge(1)
  queued.set('mail', 1)
  expect([await admit(both, 'mail'), await admit(both, 'print'), await admit(both, 'print')]).toEqual([
    false,
    true,
    true,
  ])
  expect(count.mock.calls.map(([, names]) => names)).toEqual([['mail'], ['print'], ['print']])
})

test('a count that fails fails those who wait for it, and the next call counts anew', async () => {
  const gate = new Gate<Map<string, number>>()
  count.mockImplementation(() => gate.pass())
  const mail = gauge(5)
  const waiting = Promise.allSettled([admit(mail, 'mail'), admit(mail, 'mail')])
  await gate.fail(new Error('no database'))
  expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const next = admit(mail, 'mail')
  await gate.open(new Map())
  expect(await next).toBe(true)
  expect(gate.held).toBe(0)
})

test('a limit of 0 admits nothing', async () => {
  expect(await admit(gauge(0), 'mail')).toBe(false)
})

test('a count waits for the inserts of those that were admitted before it', async () => {
  const mail = gauge(2)
  const inserts = [new Gate<object>(), new Gate<object>()]
  const entering = inserts.map((insert) => mail.enter('mail', () => insert.pass()))
  await vi.waitFor(() => expect(inserts.map(({ held }) => held)).toEqual([1, 1]))
  const third = admit(mail, 'mail')
  await inserts[0]?.open({})
  expect(count).toHaveBeenCalledTimes(1)
  queued.set('mail', 2)
  await inserts[1]?.open({})
  expect(await third).toBe(false)
  expect(count).toHaveBeenCalledTimes(2)
  await Promise.all(entering)
})

test('a count waits for the inserts under way, which it would miss, and for failed ones no longer', async () => {
  const inserts = new Gate<object>()
  const mail = gauge(2)
  const entering = Promise.allSettled([1, 2].map(() => mail.enter('mail', () => inserts.pass())))
  await vi.advanceTimersByTimeAsync(0)
  const third = admit(mail, 'mail')
  await inserts.fail(new Error('no database'))
  expect(count).toHaveBeenCalledTimes(1)
  queued.set('mail', 1)
  await inserts.open({})
  expect(await third).toBe(true)
  expect(count).toHaveBeenCalledTimes(2)
  expect((await entering).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})
