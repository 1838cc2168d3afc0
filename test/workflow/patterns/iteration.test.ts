import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow, workflowRef } from '../../../src/index.ts'
import { stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

test('10 Arbitrary Cycles (partly): a loop over a workflow that says where to go next has several entries and exits', async () => {
  const { task, log } = stage()
  /** One step of the cycle a → b → c → b → …; from b it may be left as well as from c. */
  const node = workflow('node', { params: z.object({ at: z.enum(['a', 'b', 'c']), round: z.number() }) })
    .step('a', task, () => ({ name: 'a' }), { after: [], when: ({ params }) => params.at === 'a' })
    .step('b', task, () => ({ name: 'b' }), { after: [], when: ({ params }) => params.at === 'b' })
    .step('c', task, () => ({ name: 'c' }), { after: [], when: ({ params }) => params.at === 'c' })
    .value(
      'next',
      ({ params }): 'b' | 'c' | null =>
        params.at === 'a' ? 'b' : params.round >= 3 ? null : params.at === 'b' ? 'c' : 'b',
      { after: ['a', 'b', 'c'] },
    )
  const w = workflow('w', { params: z.object({ from: z.enum(['a', 'b']) }) }).repeat(
    'cycle',
    node,
    ({ params }, { index, previous }) => ({ at: previous ?? params.from, round: index }),
    { until: (_, { result }) => result === null, max: 100 },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  await server.run({ name: 'w', params: { from: 'a' } })
  expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+a', '+b', '+c', '+b'])
  log.length = 0
  await server.run({ name: 'w', params: { from: 'b' } })
  expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+b', '+c', '+b', '+c'])
})

test('21 Structured Loop: the condition is asked after each iteration; with one before the first it may run never', async () => {
  const { task, log } = stage()
  const until = workflow('until', { params: z.object({ times: z.number() }) }).repeat(
    'loop',
    task,
    (_, { index, previous }) => ({ name: `${previous ?? ''}${index}` }),
    { until: ({ params }, { index }) => index + 1 >= params.times, max: 10 },
  )
  const whilst = workflow('while', { params: z.object({ times: z.number() }) }).repeat(
    'loop',
    task,
    (_, { index }) => ({ name: `w${index}` }),
    {
      when: ({ params }) => params.times > 0,
      ...{ until: ({ params }, { index }) => index + 1 >= params.times, max: 10 },
    },
  )
  const server = await startWorkflowServer({ workflows: [until, whilst] })
  expect((await server.run({ name: 'until', params: { times: 3 } })).result).toBe('012')
  expect(log).toEqual(['+0', '-0', '+01', '-01', '+012', '-012'])
  expect((await server.run({ name: 'until', params: { times: 0 } })).result).toBe('0')
  expect(statesOf(await server.run({ name: 'while', params: { times: 0 } }))).toEqual({ loop: 'SKIPPED' })
  expect((await server.run({ name: 'while', params: { times: 2 } })).result).toBe('w1')
})

interface Node {
  name: string
  children: Node[]
}
const node: z.ZodType<Node> = z.lazy(() => z.object({ name: z.string(), children: z.array(node) }))

test('22 Recursion: a workflow calls itself, here for each child of a tree, and gathers what comes back', async () => {
  const { task, log } = stage()
  const walk = workflow('walk', { params: node })
    .step('visit', task, ({ params }) => ({ name: params.name }))
    .forEach(
      'below',
      ({ params }) => params.children,
      workflowRef<Node, string>('walk'),
      (_, child) => child,
    )
    .value('shown', ({ visit, below }) => (below.length === 0 ? visit : `${visit}(${below.join(' ')})`))
  const server = await startWorkflowServer({ workflows: [walk] })
  const leaf = (name: string) => ({ name, children: [] })
  const tree = { name: 'a', children: [{ name: 'b', children: [leaf('c'), leaf('d')] }, leaf('e')] }
  expect(await server.run({ name: 'walk', params: tree })).toMatchObject({ result: 'a(b(c d) e)', status: 'SUCCEEDED' })
  expect(log.filter((entry) => entry.startsWith('+'))).toHaveLength(5)
  expect(log.indexOf('+c')).toBeGreaterThan(log.indexOf('-b'))
})
