import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer } from '../support/workflows.ts'

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
