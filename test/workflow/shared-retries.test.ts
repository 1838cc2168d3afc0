import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, type Workflow, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, type WorkflowServer } from '../support/workflows.ts'

/** A bank that declines until it is told otherwise. */
function bank() {
  const state = { declines: true, charges: 0 }
  const charge = action('charge', {
    params: z.looseObject({ order: z.string() }),
    run: () => {
      if (state.declines) throw new NonRetryableError('declined', { code: 'DECLINED' })
      return ++state.charges
    },
  })
  return { state, charge }
}

const order = (charge: ReturnType<typeof bank>['charge'], options: object = {}): Workflow =>
  workflow('order', { params: z.object({ order: z.string() }) }).step('charge', charge, ({ params }) => params, {
    idempotencyKey: ({ params }) => `charge-${params.order}`,
    ...options,
  })

const statusOf = (server: WorkflowServer, id: string) => async () => (await server.look(id)).status

async function failed(server: WorkflowServer, name: string) {
  const run = await server.run({ name: 'order', params: { order: name } })
  expect(run).toMatchObject({ status: 'FAILED', error: { details: { code: 'DECLINED' } } })
  return run
}

test('a retry of a shared step that must wait for its turn first runs the shared run again', async () => {
  const { state, charge } = bank()
  const server = await startWorkflowServer({ workflows: [order(charge, { limit: { key: () => 'bank', max: 1 } })] })
  const run = await failed(server, 'a')
  state.declines = false
  await operate(server, 'retryRun', { id: run.id, step: 'charge' })
  await expect.poll(statusOf(server, run.id), { timeout: 10_000 }).toBe('SUCCEEDED')
  expect(state.charges).toBe(1)
})

test('so does one that is paused before it can, and one that fails again is retried again', async () => {
  const { state, charge } = bank()
  const server = await startWorkflowServer({ workflows: [order(charge)] })
  const run = await failed(server, 'a')
  await operate(server, 'retryRun', { id: run.id, step: 'charge' })
  await expect.poll(statusOf(server, run.id), { timeout: 10_000 }).toBe('FAILED')
  state.declines = false
  await operate(server, 'retryRun', { id: run.id, step: 'charge' })
  await operate(server, 'pauseRun', { id: run.id })
  await operate(server, 'resumeRun', { id: run.id })
  await expect.poll(statusOf(server, run.id), { timeout: 10_000 }).toBe('SUCCEEDED')
  expect(state.charges).toBe(1)
})

test('a fork from a step whose shared run failed runs that again', async () => {
  const { state, charge } = bank()
  const server = await startWorkflowServer({ workflows: [order(charge)] })
  const run = await failed(server, 'a')
  state.declines = false
  const { run: fork } = await operate(server, 'forkRun', { id: run.id, fromStep: 'charge' })
  await expect.poll(statusOf(server, fork!.id), { timeout: 10_000 }).toBe('SUCCEEDED')
  expect(state.charges).toBe(1)
})

test('200 that are retried together are each done once', async () => {
  const { state, charge } = bank()
  const server = await startWorkflowServer({ workflows: [order(charge)] })
  const runs = await Promise.all(Array.from({ length: 200 }, (_, n) => failed(server, `${n}`)))
  state.declines = false
  const input = {
    filter: { name: 'order', kind: 'WORKFLOW', status: ['FAILED'] },
    expected: 200,
    idempotencyKey: 'all',
  }
  await server.query('mutation($input: BulkInput!) { retryRuns(input: $input) { __typename } }', { input })
  for (const { id } of runs) await expect.poll(statusOf(server, id), { timeout: 20_000 }).toBe('SUCCEEDED')
  expect(state.charges).toBe(200)
})
