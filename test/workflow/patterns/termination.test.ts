import { expect, test } from 'vitest'
import { workflow } from '../../../src/index.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

test('11 Implicit Termination: a run ends when nothing is left to do, wherever its branches end', async () => {
  const { task, release, begun } = stage()
  const w = workflow('w')
    .step('a', task, holds('a'), { after: [] })
    .step('a2', task, does('a2'), { after: ['a'] })
    .step('b', task, holds('b'), { after: [] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a', 'b')
  release('a')
  expect((await reaches(server, id, { a2: 'SUCCEEDED' })).status).toBe('RUNNING')
  release('b')
  const run = await ends(server, id)
  expect(run.events.at(-1)).toMatchObject({ step: null, to: 'SUCCEEDED', reason: 'COMPLETED' })
})

test('43 Explicit Termination: a step that cancels all others ends the run, which has succeeded', async () => {
  const { task, log, release, begun } = stage()
  const inner = workflow('inner').step('deep', task, holds('deep'))
  const terminates = workflow('terminates')
    .step('first', task, does('first'), { after: [] })
    .step('a', task, holds('a'), { after: [] })
    .step('sub', inner, () => ({}), { after: [] })
    .signal('waits', { after: [] })
    .step('end', task, holds('end'), { after: [], cancels: ['*'] })
    .step('behind', task, does('behind'), { after: ['end'] })
    .step('behindA', task, does('behind a'), { after: ['a'] })
    .result(({ first, a, end }) => [first, a ?? null, end])
  const server = await startWorkflowServer({ workflows: [terminates] })
  const id = await begin(server, { name: 'terminates' })
  await begun('a', 'deep', 'end')
  await reaches(server, id, { first: 'SUCCEEDED' })
  release('end')
  const run = await ends(server, id)
  expect(run.result).toEqual(['first', null, 'end'])
  expect(statesOf(run)).toEqual({
    ...{ first: 'SUCCEEDED', a: 'CANCELED', sub: 'CANCELED', waits: 'CANCELED', end: 'SUCCEEDED' },
    ...{ behind: 'CANCELED', behindA: 'CANCELED' },
  })
  await expect.poll(() => log).toEqual(expect.arrayContaining(['!a', '!deep']))
  expect(log.filter((entry) => entry.startsWith('+behind'))).toEqual([])
})

test('43 Explicit Termination: of a sub-workflow it ends that one, and its caller goes on', async () => {
  const { task, begun } = stage()
  const inner = workflow('inner')
    .step('a', task, holds('a'), { after: [] })
    .signal('stop', { after: [], cancels: ['*'] })
    .result(({ a }) => a ?? 'stopped')
  const w = workflow('w')
    .step('sub', inner, () => ({}))
    .step('next', task, ({ sub }) => ({ name: `after ${sub}` }))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a')
  await signal(server, id, 'stop')
  expect((await ends(server, id)).result).toBe('after stopped')
})
