import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../../src/index.ts'
import { begin, does, ends, holds, reaches, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

test('1 Sequence: a task begins when the one before it has ended', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w').step('a', task, holds('a')).step('b', task, does('b')).step('c', task, does('c'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a')
  expect(statesOf(await server.look(id))).toEqual({ a: 'RUNNING', b: 'PENDING', c: 'PENDING' })
  release('a')
  await ends(server, id)
  expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c'])
})

test('2 Parallel Split: the branches after a task run at the same time', async () => {
  const { task, release, begun } = stage()
  const w = workflow('w')
    .step('a', task, does('a'))
    .step('b', task, holds('b'), { after: ['a'] })
    .step('c', task, holds('c'), { after: ['a'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('b', 'c')
  expect(statesOf(await server.look(id))).toEqual({ a: 'SUCCEEDED', b: 'RUNNING', c: 'RUNNING' })
  release('b')
  release('c')
  await ends(server, id)
})

test('3 Synchronization: a task waits for all branches, and runs once', async () => {
  const { task, log, release } = stage()
  const w = workflow('w')
    .step('b', task, holds('b'), { after: [] })
    .step('c', task, holds('c'), { after: [] })
    .step('d', task, does('d'), { after: ['b', 'c'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  release('c')
  expect(statesOf(await reaches(server, id, { c: 'SUCCEEDED' }))).toMatchObject({ b: 'RUNNING', d: 'PENDING' })
  release('b')
  await ends(server, id)
  expect(log.filter((entry) => entry.endsWith('d'))).toEqual(['+d', '-d'])
  expect(log.indexOf('+d')).toBeGreaterThan(log.indexOf('-b'))
})

/** One of two branches, by what a value says. */
function choice({ task }: ReturnType<typeof stage>) {
  return workflow('w', { params: z.object({ n: z.number() }) })
    .value('route', ({ params }) => (params.n > 10 ? 'big' : 'small'))
    .step('big', task, does('big'), { after: ['route'], when: ({ route }) => route === 'big' })
    .step('small', task, does('small'), { after: ['route'], when: ({ route }) => route === 'small' })
}

test('4 Exclusive Choice: exactly one branch is taken, by a condition over the data', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [choice(played)] })
  expect(statesOf(await server.run({ name: 'w', params: { n: 11 } }))).toMatchObject({
    big: 'SUCCEEDED',
    small: 'SKIPPED',
  })
  expect(statesOf(await server.run({ name: 'w', params: { n: 10 } }))).toMatchObject({
    big: 'SKIPPED',
    small: 'SUCCEEDED',
  })
  expect(played.log).toEqual(['+big', '-big', '+small', '-small'])
})

test('5 Simple Merge: the task where exclusive branches meet runs once, whichever was taken', async () => {
  const played = stage()
  const w = choice(played).step('next', played.task, ({ big, small }) => ({ name: `after ${big ?? small}` }), {
    after: ['big', 'small'],
    join: 'any',
  })
  const server = await startWorkflowServer({ workflows: [w] })
  expect((await server.run({ name: 'w', params: { n: 11 } })).result).toBe('after big')
  expect((await server.run({ name: 'w', params: { n: 10 } })).result).toBe('after small')
  expect(played.log).toEqual([
    ...['+big', '-big', '+after big', '-after big'],
    ...['+small', '-small', '+after small', '-after small'],
  ])
})
