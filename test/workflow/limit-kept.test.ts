import { expect, test } from 'vitest'
import { z } from 'zod'
import { releaseTurn, requestTurn, strayTurns } from '../../src/db/limits.ts'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { latch, uuidOf } from '../support/runs.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

test('a step whose outcome is unknown keeps its turn, and an operator’s retry goes on with it at once', async () => {
  let lost = true
  const charge = action('charge', {
    params: z.looseObject({}),
    effect: 'unsafe',
    run: () => {
      if (lost) throw new OutcomeUnknownError('the bank did not answer')
      return 'charged'
    },
  })
  const order = workflow('order').step('charge', charge, () => ({}), { limit: { key: () => 'bank', max: 1 } })
  // no sweep comes to its aid
  const server = await startWorkflowServer({ workflows: [order], pollMs: 60_000 })
  const first = await server.run({ name: 'order' })
  expect(first.status).toBe('INDETERMINATE')
  const { run: second } = await server.start({ name: 'order' })
  await operate(server, 'retryRun', { id: first.id })
  await expect.poll(async () => (await server.look(first.id)).status).toBe('INDETERMINATE')
  expect((await server.look(second!.id)).steps[0]?.status).toBe('WAITING')
  lost = false
  await operate(server, 'retryRun', { id: first.id })
  await expect.poll(async () => (await server.look(first.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
  // its turn is over, and the next one has it
  await expect.poll(async () => (await server.look(second!.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
})

/** A bank that takes one charge at a time: the first is declined, and whatever comes later waits until it is let go on. */
async function failedCharge() {
  const held = latch()
  let declines = true
  const charge = action('charge', {
    params: z.looseObject({}),
    run: async () => {
      if (declines) throw new NonRetryableError('declined')
      await held.opened
      return 'charged'
    },
  })
  const order = workflow('order').step('charge', charge, () => ({}), { limit: { key: () => 'bank', max: 1 } })
  const server = await startWorkflowServer({ workflows: [order], pollMs: 60_000 })
  const { db } = server.executor
  const holders = () => db.hot`select from action_do.limit_holders`
  const { id, steps } = await server.run({ name: 'order' })
  await expect.poll(async () => (await holders()).length).toBe(0)
  declines = false
  const turn = { key: 'bank', runId: uuidOf(steps[0]!.run.id), rootId: uuidOf(id) }
  return { server, db, id, turn, held }
}

test('a turn that is given back late, after its step was retried, stays with the step', async () => {
  const { server, db, id, turn, held } = await failedCharge()
  // as it is where a release is lost, or slow
  expect(await requestTurn(db, { ...turn, max: 1 })).toMatchObject([turn])
  expect((await strayTurns(db)).over).toMatchObject([turn])
  await operate(server, 'retryRun', { id })
  await expect.poll(async () => statesOf(await server.look(id)).charge).toBe('RUNNING')
  const { run: second } = await server.start({ name: 'order' })
  await expect.poll(() => db.hot`select from action_do.limit_holders where not granted`).toHaveLength(1)
  // the sweep comes to what it found before the retry
  expect(await releaseTurn(db, turn)).toEqual([])
  expect(statesOf(await server.look(second!.id)).charge).toBe('WAITING')
  held.open()
  for (const each of [id, second!.id])
    await expect.poll(async () => (await server.look(each)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
})

test('a turn whose release was lost is given back while its step stays as it ended, and goes to the next', async () => {
  const { server, db, turn, held } = await failedCharge()
  await requestTurn(db, { ...turn, max: 1 })
  const { run: second } = await server.start({ name: 'order' })
  await expect.poll(() => db.hot`select from action_do.limit_holders where not granted`).toHaveLength(1)
  expect(await releaseTurn(db, turn)).toMatchObject([{ rootId: uuidOf(second!.id) }])
  held.open()
})
