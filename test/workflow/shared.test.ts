import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { latch } from '../support/runs.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

test('a business key makes one execution of a step, of every run that has it, and of a call alone', async () => {
  let charges = 0
  const charge = action('charge', {
    params: z.object({ order: z.string() }),
    result: z.object({ id: z.string() }),
    run: () => ({ id: `ch_${++charges}` }),
  })
  const w = workflow('pay', { params: z.object({ order: z.string(), again: z.number() }) })
    .step('charge', charge, ({ params }) => ({ order: params.order }), {
      idempotencyKey: ({ params }) => `charge-${params.order}`,
    })
    .value('id', ({ charge }) => charge.id)
  const server = await startWorkflowServer({ workflows: [w] })
  const runs = await Promise.all([1, 2, 3].map((again) => server.run({ name: 'pay', params: { order: 'o1', again } })))
  expect(runs.map(({ result }) => result)).toEqual(['ch_1', 'ch_1', 'ch_1'])
  const alone = await server.execute({ name: 'charge', params: { order: 'o1' }, idempotencyKey: 'charge-o1' })
  expect(alone).toMatchObject({ replayed: true, run: { result: { id: 'ch_1' } } })
  expect(charges).toBe(1)
  const other = await server.execute({ name: 'charge', params: { order: 'other' }, idempotencyKey: 'charge-o2' })
  expect(other.run?.status).toBe('SUCCEEDED')
  const mismatch = await server.run({ name: 'pay', params: { order: 'o2', again: 1 } })
  expect(mismatch).toMatchObject({ status: 'FAILED', error: { details: { code: 'IDEMPOTENCY_MISMATCH' } } })
})

test('a step whose shared run has failed is retried with it', async () => {
  let broken = true
  const charge = action('charge', {
    params: z.looseObject({}),
    result: z.object({ id: z.string() }),
    run: () => {
      if (broken) throw new NonRetryableError('declined')
      return { id: 'ch' }
    },
  })
  const w = workflow('pay').step('charge', charge, () => ({}), { idempotencyKey: () => 'one' })
  const server = await startWorkflowServer({ workflows: [w] })
  const [a, b] = await Promise.all([server.run({ name: 'pay' }), server.run({ name: 'pay' })])
  expect([a!.status, b!.status]).toEqual(['FAILED', 'FAILED'])
  broken = false
  await operate(server, 'retryRun', { id: a!.id, step: 'charge' })
  await expect.poll(async () => (await server.look(a!.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
  await operate(server, 'retryRun', { id: b!.id, step: 'charge' })
  await expect.poll(async () => (await server.look(b!.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
})

test('a limit lets so many of a key run at once, over all runs', async () => {
  let now = 0
  let most = 0
  let allowed = 1
  const work = action('work', {
    params: z.looseObject({}),
    run: async () => {
      most = Math.max(most, ++now)
      // as many as may are let in while this one is at it
      for (let i = 0; i < 50 && now < allowed; i++) await new Promise((resolve) => setTimeout(resolve, 2))
      now--
      return null
    },
  })
  const limited = (max: number) =>
    workflow(`w${max}`).step('a', work, () => ({}), { limit: { key: `tenant-${max}`, max } })
  const server = await startWorkflowServer({ workflows: [limited(1), limited(3)] })
  for (const max of [1, 3]) {
    most = 0
    allowed = max
    const runs = await Promise.all(Array.from({ length: 12 }, () => server.run({ name: `w${max}` })))
    expect(runs.map(({ status }) => status)).toEqual(Array(12).fill('SUCCEEDED'))
    expect(most).toBe(max)
  }
})

test('a step that waits for its turn says so, and gives it back when it is canceled', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const work = action('work', { params: z.looseObject({}), run: () => held.then(() => null) })
  const w = workflow('w').step('a', work, () => ({}), { limit: { key: 'k', max: 1 } })
  const server = await startWorkflowServer({ workflows: [w] })
  const first = await server.start({ name: 'w' })
  await expect.poll(async () => statesOf(await server.look(first.run!.id)).a).toBe('RUNNING')
  const [second, third] = [await server.start({ name: 'w' }), await server.start({ name: 'w' })]
  await expect.poll(async () => statesOf(await server.look(third.run!.id)).a).toBe('WAITING')
  await operate(server, 'cancelRun', { id: second.run!.id })
  release()
  await expect.poll(async () => (await server.look(third.run!.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
})

/** Two workflows that share a charge by its order, and how it is let go on. */
function sharedCharge() {
  const held = latch()
  const charge = action('charge', {
    params: z.looseObject({ order: z.string() }),
    run: ({ params }) => (params.order === 'slow' ? held.opened.then(() => 1) : 1),
  })
  const pay = workflow('pay', { params: z.looseObject({ order: z.string() }) }).step(
    'charge',
    charge,
    ({ params }) => params,
    { idempotencyKey: ({ params }) => params.order },
  )
  return { pay, held }
}

test('a node forgets the shared runs that had ended before, and those that a step was refused', async () => {
  const { pay } = sharedCharge()
  // no sweep forgets them in its stead
  const server = await startWorkflowServer({ workflows: [pay], pollMs: 60_000 })
  for (const order of ['o1', 'o2']) {
    await server.execute({ name: 'charge', params: { order }, idempotencyKey: order })
    expect(await server.run({ name: 'pay', params: { order } })).toMatchObject({ status: 'SUCCEEDED' })
  }
  const refused = await server.run({ name: 'pay', params: { order: 'o1', other: true } })
  expect(refused).toMatchObject({ status: 'FAILED', error: { details: { code: 'IDEMPOTENCY_MISMATCH' } } })
  await expect.poll(() => server.executor.hub.watching).toBe(false)
})

test('a node forgets the shared run of a step that was canceled while it waited, and of no other', async () => {
  const { pay, held } = sharedCharge()
  const server = await startWorkflowServer({ workflows: [pay], pollMs: 100 })
  const [one, two] = [1, 2].map(() => server.start({ name: 'pay', params: { order: 'slow' } }))
  const ids = [(await one!).run!.id, (await two!).run!.id]
  for (const id of ids) await expect.poll(async () => statesOf(await server.look(id)).charge).toBe('WAITING')
  await operate(server, 'cancelRun', { id: ids[0] })
  await sleep(500)
  expect(server.executor.hub.watching).toBe(true)
  await operate(server, 'cancelRun', { id: ids[1] })
  await expect.poll(() => server.executor.hub.watching, { timeout: 5_000 }).toBe(false)
  held.open()
})
