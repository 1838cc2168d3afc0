import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

/** A list that begins so many of its items at once, and a service that is away at first and says how many call it. */
async function startList(items: number, concurrency: number) {
  const service = { away: true, calls: [] as number[], atOnce: 0, most: 0, answers: Promise.resolve() }
  const call = action('call', {
    params: z.object({ n: z.number() }),
    result: z.number(),
    run: async ({ params }) => {
      if (service.away) throw new NonRetryableError('away')
      service.calls.push(params.n)
      service.most = Math.max(service.most, ++service.atOnce)
      await service.answers
      await sleep(5)
      service.atOnce--
      return params.n * 10
    },
  })
  const w = workflow('w')
    .forEach(
      'each',
      () => Array.from({ length: items }, (_, i) => i),
      call,
      (_, n) => ({ n }),
      { concurrency },
    )
    .result(({ each }) => each)
  const server = await startWorkflowServer({ workflows: [w], concurrency: 50 })
  const failed = await server.run({ name: 'w' })
  expect(failed.status).toBe('FAILED')
  service.away = false
  const comesTo = (status: string) =>
    expect.poll(async () => (await server.look(failed.id)).status, { timeout: 10_000 }).toBe(status)
  const statusOf = async (step: string) => statesOf(await server.look(failed.id))[step]
  return { server, service, id: failed.id, comesTo, statusOf }
}

/** Holds the service's answers back until it is opened. */
function gate(service: { answers: Promise<void> }): () => void {
  let open = () => {}
  service.answers = new Promise((resolve) => {
    open = resolve
  })
  return open
}

test('a list that is retried begins what failed in the order of its items, and no more at once than it allows', async () => {
  const { server, service, id, comesTo } = await startList(12, 3)
  await operate(server, 'retryRun', { id })
  await comesTo('SUCCEEDED')
  expect(service.most).toBe(3)
  expect(service.calls).toEqual(Array.from({ length: 12 }, (_, i) => i))
  const { result, events } = await server.look(id)
  expect(result).toEqual(Array.from({ length: 12 }, (_, i) => i * 10))
  const asked = events.filter(({ reason, step }) => reason === 'RETRY_REQUESTED' && step === 'each')
  expect(asked.map(({ from, to }) => `${from} ${to}`)).toEqual(Array(12).fill('FAILED PENDING'))
})

test('an item that is retried while its list has no room waits for its turn, with the params that it was given', async () => {
  const { server, service, id, comesTo, statusOf } = await startList(5, 1)
  const open = gate(service)
  await operate(server, 'retryRun', { id, step: 'each[4]' })
  await expect.poll(() => service.calls).toEqual([4])
  await operate(server, 'retryRun', { id, step: 'each[1]', params: { n: 100 } })
  expect(await statusOf('each[1]')).toBe('PENDING')
  open()
  await comesTo('FAILED')
  expect(service).toMatchObject({ calls: [4, 100], most: 1 })
  expect(statesOf(await server.look(id))).toMatchObject({ 'each[1]': 'SUCCEEDED', 'each[4]': 'SUCCEEDED' })
  await operate(server, 'retryRun', { id })
  await comesTo('SUCCEEDED')
  expect((await server.look(id)).result).toEqual([0, 1000, 20, 30, 40])
})

test('what waits for its turn while the run is canceled goes on with the next retry', async () => {
  const { server, service, id, comesTo, statusOf } = await startList(4, 1)
  const open = gate(service)
  await operate(server, 'retryRun', { id })
  await expect.poll(() => service.calls).toEqual([0])
  await operate(server, 'cancelRun', { id })
  expect(await statusOf('each[3]')).toBe('PENDING')
  open()
  await operate(server, 'retryRun', { id })
  await comesTo('SUCCEEDED')
  expect(service.calls).toEqual([0, 0, 1, 2, 3])
})
