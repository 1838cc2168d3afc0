import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../../src/index.ts'
import { operate } from '../../support/operations.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

const names = z.object({ names: z.array(z.string()) })

/** A list of tasks that are held; its items are the names. */
const held = (_: unknown, name: string) => ({ name, hold: true })

test('12 Multiple Instances without Synchronization: the process goes on beside the instances', async () => {
  const { task, release, begun } = stage()
  const w = workflow('w', { params: names })
    .step('first', task, does('first'))
    .forEach('each', ({ params }) => params.names, task, held, { after: ['first'] })
    .step('next', task, does('next'), { after: ['first'] })
    .step('last', task, does('last'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { names: ['x', 'y'] } })
  await begun('x', 'y')
  const run = await reaches(server, id, { last: 'SUCCEEDED' })
  expect(run.status).toBe('RUNNING')
  expect(statesOf(run)).toMatchObject({ 'each[0]': 'RUNNING', 'each[1]': 'RUNNING' })
  release('x')
  release('y')
  await ends(server, id)
})

test('13 Multiple Instances with a priori Design-Time Knowledge: so many as the definition says, then what follows', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .forEach('each', () => ['x', 'y', 'z'], task, held)
    .step('next', task, does('next'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('x', 'y', 'z')
  release('z')
  release('x')
  await reaches(server, id, { 'each[0]': 'SUCCEEDED', 'each[2]': 'SUCCEEDED', next: 'PENDING' })
  release('y')
  await ends(server, id)
  expect(log.filter((entry) => entry.startsWith('+'))).toHaveLength(4)
  expect(log.at(-1)).toBe('-next')
})

test('14 Multiple Instances with a priori Run-Time Knowledge: so many as a step before them found', async () => {
  const { task, log, release } = stage()
  const w = workflow('w', { params: z.object({ count: z.number() }) })
    .value('found', ({ params }) => Array.from({ length: params.count }, (_, n) => `x${n}`))
    .forEach('each', ({ found }) => found, task, held)
    .value('joined', ({ each }) => each.join())
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { count: 4 } })
  for (const n of [3, 1, 0]) release(`x${n}`)
  await reaches(server, id, { 'each[0]': 'SUCCEEDED', 'each[1]': 'SUCCEEDED', 'each[3]': 'SUCCEEDED' })
  expect(statesOf(await server.look(id))).toMatchObject({ each: 'RUNNING', 'each[2]': 'RUNNING', joined: 'PENDING' })
  release('x2')
  expect((await ends(server, id)).result).toBe('x0,x1,x2,x3')
  expect(log.filter((entry) => entry.startsWith('+'))).toHaveLength(4)
  expect((await server.run({ name: 'w', params: { count: 0 } })).result).toBe('')
})

test('15 Multiple Instances without a priori Run-Time Knowledge: a signal adds instances while others run', async () => {
  const { task, release, begun } = stage()
  const w = workflow('w', { params: names })
    .signal('open')
    .forEach('each', ({ params }) => params.names, task, held, { more: 'add', payload: z.string() })
    .step('next', task, ({ each }) => ({ name: `after ${each}` }))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { names: ['x'] } })
  // what is sent before the list begins is kept for it
  await signal(server, id, 'add', 'early')
  await signal(server, id, 'open')
  await begun('x', 'early')
  release('x')
  await reaches(server, id, { 'each[0]': 'SUCCEEDED' })
  await signal(server, id, 'add', 'late')
  await begun('late')
  release('early')
  await reaches(server, id, { 'each[1]': 'SUCCEEDED', 'each[2]': 'RUNNING', next: 'PENDING' })
  expect(await operate(server, 'signalRun', { id, name: 'add', payload: 7 })).toMatchObject({ code: 'INVALID_PARAMS' })
  release('late')
  const run = await ends(server, id)
  expect(run.result).toBe('after x,early,late')
  expect(run.steps.filter(({ key, index }) => key === 'each' && index !== null)).toHaveLength(3)
})

test('15 Multiple Instances without a priori Run-Time Knowledge: what is added waits for its place, and for its params', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w', { params: names }).forEach(
    'each',
    ({ params }) => params.names,
    task,
    (_, name) => {
      if (name === 'bad') throw new Error('no such name')
      return { name, hold: true }
    },
    { more: 'add', concurrency: 1 },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { names: ['x'] } })
  await begun('x')
  await signal(server, id, 'add', 'y')
  expect(await operate(server, 'signalRun', { id, name: 'add', payload: 'bad' })).toMatchObject({
    code: 'INVALID_PARAMS',
    message: expect.stringContaining('no such name'),
  })
  expect(statesOf(await server.look(id))).toEqual({ each: 'RUNNING', 'each[0]': 'RUNNING', 'each[1]': 'PENDING' })
  release('x')
  await begun('y')
  release('y')
  expect((await ends(server, id)).result).toEqual(['x', 'y'])
  expect(log).toEqual(['+x', '-x', '+y', '-y'])
})

/** Four tasks that are held, of which two are enough. */
function quorum(rest: 'finish' | 'cancel', { task }: ReturnType<typeof stage>) {
  return workflow('w')
    .forEach('each', () => ['x', 'y', 'z'], task, held, { need: 2, rest })
    .step('next', task, ({ each }) => ({ name: `after ${each}` }))
    .step('last', task, does('last'))
    .result(({ next, each }) => ({ next, each }))
}

test('34 Static Partial Join for Multiple Instances: the n-th one triggers what follows, once; the others end unheard', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [quorum('finish', played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('x', 'y', 'z')
  played.release('z')
  await reaches(server, id, { 'each[2]': 'SUCCEEDED', next: 'PENDING' })
  played.release('x')
  const run = await reaches(server, id, { last: 'SUCCEEDED' })
  expect(statesOf(run)).toMatchObject({ each: 'RUNNING', 'each[1]': 'RUNNING' })
  expect(run.status).toBe('RUNNING')
  played.release('y')
  const over = await ends(server, id)
  expect(statesOf(over)).toMatchObject({ each: 'SUCCEEDED', 'each[1]': 'SUCCEEDED' })
  expect(over.result).toEqual({ next: 'after x,z', each: ['x', 'y', 'z'] })
  expect(played.log.filter((entry) => entry.startsWith('+after') || entry === '+last')).toEqual(['+after x,z', '+last'])
})

test('35 Cancelling Partial Join for Multiple Instances: the n-th one triggers what follows, and the others are canceled', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [quorum('cancel', played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('x', 'y', 'z')
  played.release('y')
  await reaches(server, id, { 'each[1]': 'SUCCEEDED', next: 'PENDING' })
  played.release('z')
  const run = await ends(server, id)
  expect(statesOf(run)).toEqual({
    ...{ each: 'SUCCEEDED', 'each[0]': 'CANCELED', 'each[1]': 'SUCCEEDED', 'each[2]': 'SUCCEEDED' },
    ...{ next: 'SUCCEEDED', last: 'SUCCEEDED' },
  })
  expect(run.result).toEqual({ next: 'after y,z', each: ['y', 'z'] })
  expect(run.steps.find(({ key, index }) => key === 'each' && index === null)?.result).toEqual(['y', 'z'])
  await expect.poll(() => played.log).toContain('!x')
})

test('35 Cancelling Partial Join for Multiple Instances: what has not begun never does, and failures do not count', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .forEach(
      'each',
      () => ['', 'x', 'y', 'z'],
      task,
      (_, name) => ({ name: name || (7 as never), hold: true }),
      {
        ...{ concurrency: 2, need: 1, rest: 'cancel' },
      },
    )
    .step('next', task, does('next'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('x', 'y')
  release('y')
  expect(statesOf(await ends(server, id))).toEqual({
    ...{ each: 'SUCCEEDED', 'each[0]': 'FAILED', 'each[1]': 'CANCELED', 'each[2]': 'SUCCEEDED' },
    ...{ 'each[3]': 'CANCELED', next: 'SUCCEEDED' },
  })
  expect(log).not.toContain('+z')
})

test('36 Dynamic Partial Join for Multiple Instances: a condition over the results so far ends what could still grow', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .forEach('each', () => ['no', 'maybe'], task, held, {
      ...{ more: 'add', payload: z.string(), rest: 'cancel' },
      until: (_, { result }) => result.filter((one) => one.startsWith('yes')).length >= 2,
    })
    .step('next', task, ({ each }) => ({ name: `after ${each}` }))
    .step('end', task, holds('end'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('no', 'maybe')
  release('no')
  for (const name of ['yes 1', 'yes 2']) {
    await signal(server, id, 'add', name)
    await begun(name)
    expect(statesOf(await server.look(id))).toMatchObject({ each: 'RUNNING', next: 'PENDING' })
    release(name)
  }
  await begun('end')
  // no more can be added: it is kept, and nobody takes it
  await signal(server, id, 'add', 'yes 3')
  release('end')
  const run = await ends(server, id)
  expect(statesOf(run)).toMatchObject({ each: 'SUCCEEDED', 'each[1]': 'CANCELED', next: 'SUCCEEDED' })
  expect(log).toContain('+after no,yes 1,yes 2')
  expect(log).not.toContain('+yes 3')
})

test('36 Dynamic Partial Join for Multiple Instances: where the condition never holds, the list ends with its last one', async () => {
  const { task, release, begun } = stage()
  const never = workflow('never').forEach(
    'each',
    () => ['x', 'y'],
    task,
    (_, name) => ({ name }),
    {
      until: () => false,
    },
  )
  const broken = workflow('broken').forEach('each', () => ['a', 'b'], task, held, {
    until: () => {
      throw new Error('cannot tell')
    },
  })
  const server = await startWorkflowServer({ workflows: [never, broken] })
  expect((await server.run({ name: 'never' })).result).toEqual(['x', 'y'])
  const id = await begin(server, { name: 'broken' })
  await begun('a', 'b')
  release('b')
  const run = await ends(server, id, 'FAILED')
  expect(run.error?.message).toContain('cannot tell')
  expect(statesOf(run)).toEqual({ each: 'FAILED', 'each[0]': 'CANCELED', 'each[1]': 'SUCCEEDED' })
})
