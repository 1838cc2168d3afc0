import { expect, test } from 'vitest'
import { workflow } from '../../../src/index.ts'
import { operate } from '../../support/operations.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

test('19 Cancel Task: a step withdraws a task that runs, or that waits; the process goes on without it', async () => {
  const { task, log, begun } = stage()
  const w = workflow('w')
    .step('a', task, holds('a'), { after: [] })
    .signal('never', { after: [] })
    .step('b', task, does('b'), { after: [] })
    .signal('stop', { after: [], cancels: ['a', 'never'] })
    .value('end', ({ a, b }) => ({ a: a ?? null, b }), { after: ['a', 'b', 'never'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a')
  await reaches(server, id, { a: 'RUNNING', never: 'WAITING', b: 'SUCCEEDED', end: 'PENDING' })
  await signal(server, id, 'stop')
  const run = await ends(server, id)
  expect(statesOf(run)).toMatchObject({ a: 'CANCELED', never: 'CANCELED', end: 'SUCCEEDED' })
  expect(run.result).toEqual({ a: null, b: 'b' })
  expect(run.events.find(({ step, to }) => step === 'a' && to === 'CANCELED')).toMatchObject({
    reason: 'NOT_NEEDED',
    data: { by: 'stop' },
  })
  await expect.poll(() => log).toContain('!a')
  expect(log).not.toContain('-a')
})

test('20 Cancel Case: the whole run ends, with everything in it, and nothing more begins', async () => {
  const { task, log, begun } = stage()
  const inner = workflow('inner').step('deep', task, holds('deep'))
  const w = workflow('w')
    .step('a', task, holds('a'), { after: [] })
    .step('sub', inner, () => ({}), { after: [] })
    .signal('wait', { after: [] })
    .step('b', task, does('b'), { after: ['a'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a', 'deep')
  const { run } = await operate(server, 'cancelRun', { id, reason: 'no longer wanted' })
  expect(run).toMatchObject({ status: 'CANCELED', error: { message: 'Canceled: no longer wanted' } })
  expect(statesOf(run!)).toEqual({ a: 'CANCELED', sub: 'CANCELED', wait: 'CANCELED', b: 'PENDING' })
  await expect.poll(() => [...log].sort()).toEqual(['!a', '!deep', '+a', '+deep'])
})

test('25 Cancel Region: a step withdraws several tasks at once, whatever state they are in, and nothing beside them', async () => {
  const { task, log, release, begun } = stage()
  const region = workflow('region')
    .step('done', task, does('done'), { after: [] })
    .step('runs', task, holds('runs'), { after: ['done'] })
    .signal('waits', { after: ['done'] })
    .step('unbegun', task, does('unbegun'), { after: ['runs', 'waits'] })
    .step('beside', task, holds('beside'), { after: [] })
    .signal('stop', { after: [], cancels: ['done', 'runs', 'waits', 'unbegun'] })
    .step('next', task, does('next'), { after: ['stop'] })
  const server = await startWorkflowServer({ workflows: [region] })
  const id = await begin(server, { name: 'region' })
  await begun('runs', 'beside')
  await reaches(server, id, { waits: 'WAITING' })
  await signal(server, id, 'stop')
  const run = await reaches(server, id, { next: 'SUCCEEDED' })
  expect(statesOf(run)).toMatchObject({
    ...{ done: 'SUCCEEDED', runs: 'CANCELED', waits: 'CANCELED', unbegun: 'CANCELED', beside: 'RUNNING' },
  })
  release('beside')
  await ends(server, id)
  expect(log).not.toContain('+unbegun')
})

test('26 Cancel Multiple Instance Activity: the instances that have not ended are withdrawn, the others keep their effect', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .forEach(
      'each',
      () => ['x', 'y', 'z'],
      task,
      (_, name) => ({ name, hold: true }),
      { concurrency: 2, after: [] },
    )
    .step('behind', task, does('behind'), { after: ['each'] })
    .signal('stop', { after: [], cancels: ['each'] })
    .step('next', task, does('next'), { after: ['stop'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('x', 'y')
  release('x')
  await begun('z')
  await signal(server, id, 'stop')
  expect(statesOf(await ends(server, id))).toEqual({
    ...{ each: 'CANCELED', 'each[0]': 'SUCCEEDED', 'each[1]': 'CANCELED', 'each[2]': 'CANCELED' },
    ...{ behind: 'SKIPPED', stop: 'SUCCEEDED', next: 'SUCCEEDED' },
  })
  await expect.poll(() => log).toEqual(expect.arrayContaining(['!y', '!z']))
})

test('27 Complete Multiple Instance Activity: a step declares the list done, what has not ended of it is withdrawn', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .forEach(
      'each',
      () => ['x', 'y', 'z', 'later'],
      task,
      (_, name) => ({ name, hold: true }),
      {
        ...{ concurrency: 3, after: [] },
      },
    )
    .signal('enough', { after: [], completes: ['each'] })
    .step('next', task, ({ each }) => ({ name: `after ${each}` }), { after: ['each'], cancels: ['enough'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('x', 'y', 'z')
  release('y')
  await begun('later')
  await signal(server, id, 'enough')
  const run = await ends(server, id)
  expect(statesOf(run)).toEqual({
    ...{ each: 'SUCCEEDED', 'each[0]': 'CANCELED', 'each[1]': 'SUCCEEDED', 'each[2]': 'CANCELED' },
    ...{ 'each[3]': 'CANCELED', enough: 'SUCCEEDED', next: 'SUCCEEDED' },
  })
  expect(run.result).toBe('after y')
  // and where nobody declares it, it ends by itself
  const second = await begin(server, { name: 'w' })
  for (const name of ['x', 'z', 'later']) release(name)
  expect(statesOf(await ends(server, second))).toMatchObject({ each: 'SUCCEEDED', enough: 'CANCELED' })
  expect(log).toContain('+after x,y,z,later')
})
