import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow, workflowRef } from '../../src/index.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

const echo = action('echo', {
  params: z.object({ n: z.number() }),
  result: z.object({ n: z.number() }),
  run: ({ params }) => params,
})
const boom = action('boom', {
  params: z.object({}),
  result: z.object({ n: z.number() }),
  run: () => {
    throw new NonRetryableError('no', { code: 'DECLINED' })
  },
})
const hang = action('hang', {
  params: z.object({}),
  result: z.object({ n: z.number() }),
  run: ({ signal }) =>
    new Promise<{ n: number }>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
})

test('a condition skips a step and the branch behind it; where branches meet, the process goes on', async () => {
  const choice = workflow('choice', { params: z.object({ n: z.number() }) })
    .value('route', ({ params }) => (params.n > 10 ? 'big' : 'small'))
    .step('big', echo, () => ({ n: 100 }), { after: ['route'], when: ({ route }) => route === 'big' })
    .step('bigger', echo, ({ big }) => ({ n: big.n + 1 }))
    .step('small', echo, () => ({ n: 1 }), { after: ['route'], when: ({ route }) => route === 'small' })
    .step('end', echo, ({ bigger, small }) => ({ n: (bigger?.n ?? 0) + (small?.n ?? 0) }), {
      after: ['bigger', 'small'],
    })
  const server = await startWorkflowServer({ workflows: [choice] })
  const small = await server.run({ name: 'choice', params: { n: 1 } })
  expect(small).toMatchObject({ status: 'SUCCEEDED', result: { n: 1 } })
  expect(statesOf(small)).toEqual({
    route: 'SUCCEEDED',
    big: 'SKIPPED',
    bigger: 'SKIPPED',
    small: 'SUCCEEDED',
    end: 'SUCCEEDED',
  })
  expect((await server.run({ name: 'choice', params: { n: 11 } })).result).toEqual({ n: 101 })
})

test('a failed step holds up those after it, the others go on, and the workflow says where it failed', async () => {
  const w = workflow('w')
    .step('a', boom, () => ({}))
    .step('b', echo, ({ a }) => ({ n: a.n }))
    .step('c', echo, () => ({ n: 1 }), { after: [] })
    .step('d', echo, ({ c }) => ({ n: c.n }))
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run.status).toBe('FAILED')
  expect(run.error).toMatchObject({
    code: 'STEP_FAILED',
    message: 'Step "a" failed: no',
    details: { step: 'a', code: 'DECLINED' },
  })
  expect(statesOf(run)).toEqual({ a: 'FAILED', b: 'PENDING', c: 'SUCCEEDED', d: 'SUCCEEDED' })
})

test('a step that continues on errors gives its error to those after it', async () => {
  const w = workflow('w')
    .step('a', boom, () => ({}), { onError: 'continue' })
    .value('b', ({ a }) => a.error?.code ?? 'none')
  const server = await startWorkflowServer({ workflows: [w] })
  expect(await server.run({ name: 'w' })).toMatchObject({ status: 'SUCCEEDED', result: 'DECLINED' })
})

test('a join of any runs with the first; the others are canceled', async () => {
  const w = workflow('w')
    .step('slow', hang, () => ({}), { after: [] })
    .step('slower', echo, ({ slow }) => ({ n: slow.n }))
    .step('fast', echo, () => ({ n: 7 }), { after: [] })
    .value('first', ({ fast, slower }) => fast?.n ?? slower?.n ?? null, {
      after: ['slower', 'fast'],
      join: 'any',
      others: 'cancel',
    })
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 7 })
  expect(statesOf(run)).toEqual({ slow: 'CANCELED', slower: 'CANCELED', fast: 'SUCCEEDED', first: 'SUCCEEDED' })
})

test('a list runs its action for each item, so many at once, and keeps the order of the results', async () => {
  let now = 0
  let most = 0
  const count = action('count', {
    params: z.object({ n: z.number() }),
    result: z.number(),
    run: async ({ params }) => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 5 - (params.n % 5)))
      now--
      return params.n * 10
    },
  })
  const w = workflow('w', { params: z.object({ list: z.array(z.number()) }) })
    .forEach(
      'each',
      ({ params }) => params.list,
      count,
      (_, n) => ({ n }),
      { concurrency: 3 },
    )
    .value('sum', ({ each }) => each.reduce((a, b) => a + b, 0))
    .result(({ each, sum }) => ({ each, sum }))
  const server = await startWorkflowServer({ workflows: [w] })
  const list = Array.from({ length: 20 }, (_, i) => i)
  const run = await server.run({ name: 'w', params: { list } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { each: list.map((n) => n * 10), sum: 1900 } })
  expect(most).toBe(3)
  expect(run.steps.find(({ key, index }) => key === 'each' && index === null)?.result).toEqual(list.map((n) => n * 10))
  expect((await server.run({ name: 'w', params: { list: [] } })).result).toEqual({ each: [], sum: 0 })
})

test('a loop goes on until its condition holds, at most so many times', async () => {
  const w = workflow('w', { params: z.object({ max: z.number() }) }).repeat(
    'loop',
    echo,
    (_, { previous }) => ({ n: (previous?.n ?? 0) + 1 }),
    {
      until: ({ params }, { result }) => result.n >= params.max,
      max: 5,
    },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  expect(await server.run({ name: 'w', params: { max: 3 } })).toMatchObject({ status: 'SUCCEEDED', result: { n: 3 } })
  expect(await server.run({ name: 'w', params: { max: 6 } })).toMatchObject({
    status: 'FAILED',
    error: { details: { code: 'LOOP_EXHAUSTED' } },
  })
})

test('a workflow calls itself', async () => {
  const factorial = workflow('factorial', { params: z.object({ n: z.number() }) })
    .step('below', workflowRef<{ n: number }, number>('factorial'), ({ params }) => ({ n: params.n - 1 }), {
      when: ({ params }) => params.n > 1,
    })
    .value('product', ({ params, below }) => params.n * (below ?? 1), { onSkipped: 'run' })
  const server = await startWorkflowServer({ workflows: [factorial] })
  const run = await server.run({ name: 'factorial', params: { n: 10 } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 3_628_800 })
})

test('a sleep is durable time', async () => {
  const w = workflow('w')
    .sleep('night', 8 * 3_600_000)
    .value('morning', () => 'good')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  expect(run).toMatchObject({ status: 'RUNNING' })
  expect(statesOf(run!)).toEqual({ night: 'WAITING', morning: 'PENDING' })
  server.advance(8 * 3_600_000 + 1)
  await expect.poll(async () => (await server.look(run!.id)).result, { timeout: 5_000 }).toBe('good')
})

test('a deadline fails the whole', async () => {
  const w = workflow('w', { deadlineMs: 60_000 }).step('a', hang, () => ({}))
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  server.advance(60_001)
  await expect.poll(async () => (await server.look(run!.id)).status, { timeout: 5_000 }).toBe('FAILED')
  const now = await server.look(run!.id)
  expect(now.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  expect(statesOf(now)).toEqual({ a: 'CANCELED' })
})
