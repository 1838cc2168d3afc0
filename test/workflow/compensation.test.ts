import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { until } from '../support/until.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

function booking() {
  const log: string[] = []
  const broken = new Set<string>()
  const step = (name: string) =>
    action(name, {
      params: z.looseObject({}),
      result: z.object({ ref: z.string() }),
      retry: { maxAttempts: 2, backoff: { initialMs: 1 } },
      run: () => {
        if (broken.has(name)) throw new NonRetryableError(`${name} failed`)
        log.push(`do ${name}`)
        return { ref: `${name}-1` }
      },
      compensate: ({ result, idempotencyKey }) => {
        if (broken.has(`undo ${name}`)) throw new Error(`cannot undo ${name}`)
        expect(idempotencyKey).toMatch(/^run_/)
        log.push(`undo ${result.ref}`)
      },
    })
  const trip = workflow('trip', { onError: 'compensate' })
    .step('flight', step('flight'))
    .value('note', () => 'no effect')
    .step('hotel', step('hotel'))
    .step('car', step('car'))
    .step('bill', step('bill'))
  return { log, broken, trip, step }
}

test('what was completed is undone in reverse order, and the run ends COMPENSATED', async () => {
  const { log, broken, trip } = booking()
  broken.add('bill')
  const server = await startWorkflowServer({ workflows: [trip] })
  const run = await server.run({ name: 'trip' })
  expect(run.status).toBe('COMPENSATED')
  expect(run.error).toMatchObject({ code: 'STEP_FAILED', details: { step: 'bill' } })
  expect(log).toEqual(['do flight', 'do hotel', 'do car', 'undo car-1', 'undo hotel-1', 'undo flight-1'])
  expect(statesOf(run)).toEqual({
    flight: 'COMPENSATED',
    note: 'SUCCEEDED',
    hotel: 'COMPENSATED',
    car: 'COMPENSATED',
    bill: 'FAILED',
  })
  expect(run.events.map(({ seq }) => seq)).toEqual(run.events.map((_, i) => i + 1))
})

test('what cannot be undone is named, and undone by a retry', async () => {
  const { log, broken, trip } = booking()
  broken.add('bill').add('undo hotel')
  const server = await startWorkflowServer({ workflows: [trip] })
  const run = await server.run({ name: 'trip' })
  expect(run).toMatchObject({
    status: 'FAILED',
    error: { code: 'COMPENSATION_FAILED', message: 'Could not be undone: hotel' },
  })
  expect(statesOf(run)).toMatchObject({ flight: 'COMPENSATED', hotel: 'FAILED', car: 'COMPENSATED' })
  expect(log).not.toContain('undo hotel-1')
  broken.delete('undo hotel')
  await operate(server, 'retryRun', { id: run.id })
  await expect.poll(async () => (await server.look(run.id)).status, { timeout: 5_000 }).toBe('COMPENSATED')
  expect(log.filter((line) => line === 'undo hotel-1')).toHaveLength(1)
})

test('lists and sub-workflows are undone run by run', async () => {
  const { log, broken, step } = booking()
  const inner = workflow('inner').step('x', step('x')).step('y', step('y'))
  const w = workflow('w', { onError: 'compensate' })
    .forEach(
      'each',
      () => [1, 2],
      step('seat'),
      () => ({}),
      { concurrency: 1 },
    )
    .step('sub', inner, () => ({}))
    .step('bad', step('bad'))
  broken.add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run.status).toBe('COMPENSATED')
  expect(log).toEqual(['do seat', 'do seat', 'do x', 'do y', 'undo y-1', 'undo x-1', 'undo seat-1', 'undo seat-1'])
  expect(statesOf(run)).toMatchObject({
    each: 'COMPENSATED',
    'each[0]': 'COMPENSATED',
    'each[1]': 'COMPENSATED',
    sub: 'COMPENSATED',
  })
})

test('of what a join cancels in one moment, what runs later is undone first', async () => {
  const { log, broken, step } = booking()
  broken.add('bill')
  // the first item is done, the second one waits for its end until it is canceled
  const half = (name: string) =>
    action(name, {
      params: z.object({ item: z.number() }),
      run: async ({ params, signal }) => {
        if (params.item === 2)
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        log.push(`do ${name}`)
      },
      compensate: () => void log.push(`undo ${name}`),
    })
  const begun = () => until(() => log.includes('do left') && log.includes('do right'))
  const w = workflow('w', { onError: 'compensate' })
    .forEach(
      'left',
      () => [1, 2],
      half('left'),
      (_, item) => ({ item }),
      { concurrency: 1, after: [] },
    )
    .forEach(
      'right',
      () => [1, 2],
      half('right'),
      (_, item) => ({ item }),
      { concurrency: 1, after: [] },
    )
    .step('enough', action('enough', { run: begun }), () => ({}), { after: [] })
    .value('join', () => 'went on', { after: ['left', 'right', 'enough'], join: 1, others: 'cancel' })
    .step('bill', step('bill'))
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run.status).toBe('COMPENSATED')
  expect(log.filter((line) => line.startsWith('undo'))).toEqual(['undo right', 'undo left'])
})
