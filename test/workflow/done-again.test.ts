import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

test('a list whose source is retried keeps what has succeeded with the same params, and runs the others', async () => {
  let list: number[] | undefined
  const done: string[] = []
  const source = action('source', {
    params: z.looseObject({}),
    result: z.array(z.number()),
    run: () => {
      if (!list) throw new NonRetryableError('not yet')
      return list
    },
  })
  const work = action('work', {
    params: z.object({ n: z.number() }),
    result: z.number(),
    run: ({ params, idempotencyKey }) => {
      done.push(`${params.n} ${idempotencyKey.split('-')[1] ?? '1'}`)
      return params.n * 10
    },
  })
  const w = workflow('w')
    .step('source', source, () => ({}), { onError: 'continue' })
    .forEach(
      'each',
      ({ source }) => source.result ?? [1, 2, 3],
      work,
      (_, n) => ({ n }),
      { concurrency: 1 },
    )
    .step('stop', source, () => ({}))
    .result(({ each }) => each)
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  expect(statesOf(failed)).toMatchObject({
    source: 'FAILED',
    each: 'SUCCEEDED',
    'each[2]': 'SUCCEEDED',
    stop: 'FAILED',
  })
  expect(done).toEqual(['1 1', '2 1', '3 1'])
  list = [1, 5]
  await operate(server, 'retryRun', { id: failed.id, step: 'source' })
  await expect.poll(async () => (await server.look(failed.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
  const now = await server.look(failed.id)
  // the first is kept; the second has other params, and so another key; the third is beyond the end
  expect(done).toEqual(['1 1', '2 1', '3 1', '5 2'])
  expect(now.result).toEqual([10, 50])
  expect(now.steps.find(({ key, index }) => key === 'each' && index === null)?.result).toEqual([10, 50])
})

test('a sub-workflow and a loop that depend on what is retried are done again', async () => {
  let broken = true
  const done: string[] = []
  const source = action('source', {
    params: z.looseObject({}),
    run: () => {
      if (broken) throw new NonRetryableError('not yet')
      return 7
    },
  })
  const work = action('work', {
    params: z.looseObject({ what: z.string() }),
    run: ({ params }) => {
      done.push(params.what)
      return done.length
    },
  })
  const inner = workflow('inner')
    .step('x', work, () => ({ what: 'x' }))
    .step('y', work, () => ({ what: 'y' }))
  const w = workflow('w')
    .step('source', source, () => ({}), { onError: 'continue' })
    .step('sub', inner, () => ({}))
    .repeat('loop', work, () => ({ what: 'loop' }), { until: (_, { index }) => index === 1, max: 3, after: ['source'] })
    .step('stop', source, () => ({}), { after: [] })
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  expect(done.sort()).toEqual(['loop', 'loop', 'x', 'y'])
  broken = false
  await operate(server, 'retryRun', { id: failed.id, step: 'source' })
  await expect.poll(() => done.length, { timeout: 5_000 }).toBe(8)
  await expect.poll(async () => (await server.look(failed.id)).status, { timeout: 5_000 }).toBe('FAILED')
  await operate(server, 'retryRun', { id: failed.id })
  await expect.poll(async () => (await server.look(failed.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
  const now = await server.look(failed.id)
  expect(now.events.map(({ seq }) => seq)).toEqual(now.events.map((_, i) => i + 1))
})
