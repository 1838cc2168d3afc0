import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, workflow } from '../../src/index.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

const double = action('double', {
  params: z.object({ n: z.number() }),
  result: z.object({ n: z.number() }),
  run: ({ params }) => ({ n: params.n * 2 }),
})

test('a sequence runs its steps one after the other, each with the results of those before', async () => {
  const thrice = workflow('thrice', { params: z.object({ n: z.number() }) })
    .step('a', double, ({ params }) => ({ n: params.n }))
    .step('b', double, ({ a }) => ({ n: a.n }))
    .step('c', double, ({ a, b }) => ({ n: a.n + b.n }))
    .result(({ a, b, c }) => ({ sum: a.n + b.n + c.n }))
  const server = await startWorkflowServer({ workflows: [thrice] })
  const run = await server.run({ name: 'thrice', params: { n: 1 } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { sum: 2 + 4 + 12 } })
  expect(statesOf(run)).toEqual({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'SUCCEEDED' })
  expect(run.events.map(({ step, to, reason }) => `${step} ${to} ${reason}`)).toEqual([
    'null RUNNING STARTED',
    'a RUNNING STARTED',
    'a SUCCEEDED COMPLETED',
    'b RUNNING STARTED',
    'b SUCCEEDED COMPLETED',
    'c RUNNING STARTED',
    'c SUCCEEDED COMPLETED',
    'null SUCCEEDED COMPLETED',
  ])
  expect(run.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('branches run side by side, and a join waits for all of them', async () => {
  const diamond = workflow('diamond', { params: z.object({ n: z.number() }) })
    .step('a', double, ({ params }) => ({ n: params.n }))
    .step('b', double, ({ a }) => ({ n: a.n }), { after: ['a'] })
    .step('c', double, ({ a }) => ({ n: a.n + 1 }), { after: ['a'] })
    .step('d', double, ({ b, c }) => ({ n: b.n + c.n }), { after: ['b', 'c'] })
  const server = await startWorkflowServer({ workflows: [diamond] })
  const run = await server.run({ name: 'diamond', params: { n: 1 } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { n: 20 } })
})
