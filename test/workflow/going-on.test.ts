import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'
import { aWhile, comesTo, troupe } from './troupe.ts'

test('two signals that are sent together reach two steps of which one waits behind the other', async () => {
  const w = workflow('w').signal('a').signal('b')
  const server = await startWorkflowServer({ workflows: [w] })
  for (let i = 0; i < 5; i++) {
    const { run } = await server.start({ name: 'w' })
    await comesTo(server, run!.id, 'WAITING', 'a')
    await Promise.all(['a', 'b'].map((name) => operate(server, 'signalRun', { id: run!.id, name, payload: 1 })))
    await comesTo(server, run!.id, 'SUCCEEDED')
  }
})

test('a loop goes on where its own logic failed, once that is mended', async () => {
  const { act, times } = troupe()
  let broken: 'mapper' | 'until' | undefined
  const check = (what: typeof broken) => {
    if (broken === what) throw new Error('not yet')
  }
  const w = workflow('w').repeat(
    'loop',
    act('x'),
    () => {
      check('mapper')
      return {}
    },
    {
      until: (_, { index }) => {
        check('until')
        return index === 1
      },
      max: 5,
    },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  for (const what of ['mapper', 'until'] as const) {
    broken = what
    const { id, status } = await server.run({ name: 'w' })
    expect(status).toBe('FAILED')
    broken = undefined
    await operate(server, 'retryRun', { id })
    await comesTo(server, id, 'SUCCEEDED')
  }
  expect(times('-x')).toBe(4)
})

test('a loop that is done again with fewer iterations is not held up by one of before', async () => {
  const { act, broken } = troupe()
  broken.add('a').add('x 1')
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { onError: 'continue' })
    .repeat('loop', act('x'), (_, { index }) => ({ item: index }), {
      until: ({ a }, { index }) => index === (a.error ? 3 : 0),
      max: 5,
    })
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(statesOf(run)).toMatchObject({ loop: 'FAILED', 'loop[1]': 'FAILED' })
  broken.delete('a')
  await operate(server, 'retryRun', { id: run.id, step: 'a' })
  await comesTo(server, run.id, 'SUCCEEDED')
})

test('a sub-workflow that was canceled while it waited for its turn begins when it is retried', async () => {
  const { act, held, log } = troupe()
  const inner = workflow('inner').step('x', act('x'))
  const w = workflow('w').step('sub', inner, () => ({}), { limit: { key: () => 'k', max: 1 } })
  const server = await startWorkflowServer({ workflows: [w] })
  held.add('x')
  await server.start({ name: 'w' })
  await expect.poll(() => log).toEqual(['+x'])
  const { run } = await server.start({ name: 'w' })
  await comesTo(server, run!.id, 'WAITING', 'sub')
  await operate(server, 'cancelRun', { id: run!.id })
  await operate(server, 'retryRun', { id: run!.id })
  held.clear()
  await comesTo(server, run!.id, 'SUCCEEDED')
  expect(log).toEqual(['+x', '-x', '+x', '-x'])
})

test('one of a list that failed under its business key, or was canceled before its turn, is done again under the same', async () => {
  const { act, broken, held, log, times } = troupe()
  const w = workflow('w').forEach(
    'list',
    () => [1, 2, 3],
    act('x'),
    (_, item) => ({ item }),
    {
      idempotencyKey: (_, item) => `k${item}`,
      limit: { key: () => 'one', max: 1 },
    },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  broken.add('x 2')
  const failed = await server.run({ name: 'w' })
  expect(failed.status).toBe('FAILED')
  broken.clear()
  await operate(server, 'retryRun', { id: failed.id })
  await comesTo(server, failed.id, 'SUCCEEDED')
  expect([times('-x 1'), times('-x 2'), times('-x 3')]).toEqual([1, 1, 1])

  const v = workflow('v').forEach(
    'list',
    () => [4, 5],
    act('y'),
    (_, item) => ({ item }),
    {
      limit: { key: () => 'two', max: 1 },
    },
  )
  const other = await startWorkflowServer({ workflows: [v] })
  held.add('y 4').add('y 5')
  const { run } = await other.start({ name: 'v' })
  await expect.poll(() => log.filter((line) => line.startsWith('+y')).length, { timeout: 5_000 }).toBe(1)
  await operate(other, 'cancelRun', { id: run!.id })
  held.clear()
  await operate(other, 'retryRun', { id: run!.id })
  await comesTo(other, run!.id, 'SUCCEEDED')
})

test('a sub-workflow and a list that are set back, then paused, canceled and retried, begin with what is new', async () => {
  const { act, broken, held, log, times } = troupe()
  const inner = workflow('inner', { params: z.object({ from: z.string() }) }).step('x', act('x'), ({ params }) => ({
    item: params.from,
  }))
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { onError: 'continue' })
    .step('sub', inner, ({ a }) => ({ from: a.error ? 'error' : 'fine' }))
    .forEach(
      'list',
      ({ a }) => (a.error ? [1] : [1, 2, 3]),
      act('i'),
      (_, item) => ({ item }),
      { after: ['a'] },
    )
    .step('bad', act('bad'), () => ({}), { after: ['sub', 'list'] })
  const server = await startWorkflowServer({ workflows: [w] })
  for (const cancel of [false, true]) {
    log.length = 0
    broken.add('a').add('bad')
    const { id } = await server.run({ name: 'w' })
    broken.clear()
    held.add('a')
    await operate(server, 'retryRun', { id, step: 'a' })
    await expect.poll(() => times('+a')).toBe(2)
    await operate(server, 'pauseRun', { id })
    held.clear()
    await comesTo(server, id, 'QUEUED', 'sub')
    if (cancel) {
      await operate(server, 'cancelRun', { id })
      await operate(server, 'retryRun', { id })
    }
    await operate(server, 'resumeRun', { id })
    await comesTo(server, id, 'SUCCEEDED')
    expect(log).toEqual(expect.arrayContaining(['-x error', '-x fine', '-i 3']))
  }
})

test('a step that begins and is canceled by the same cause is never executed', async () => {
  const { act, log } = troupe()
  const w = workflow('w')
    .signal('go')
    .step('x', act('x'), () => ({}), { after: ['go'] })
    .value('v', () => 1, { after: ['go'], cancels: ['x'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await comesTo(server, run!.id, 'WAITING', 'go')
  await operate(server, 'signalRun', { id: run!.id, name: 'go', payload: 1 })
  await comesTo(server, run!.id, 'SUCCEEDED')
  await aWhile()
  expect(log).toEqual([])
})

test('a fork of a race does not run the loser', async () => {
  const { act, held, log } = troupe()
  held.add('b')
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { after: [] })
    .step('b', act('b'), () => ({}), { after: [] })
    .step('y', act('y'), () => ({}), { after: ['a', 'b'], join: 1, others: 'cancel' })
    .step('z', act('z'))
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = await server.run({ name: 'w' })
  held.clear()
  const { run } = await operate(server, 'forkRun', { id, fromStep: 'z' })
  await comesTo(server, run!.id, 'SUCCEEDED')
  expect(statesOf(await server.look(run!.id))).toMatchObject({ a: 'SUCCEEDED', b: 'CANCELED', y: 'SUCCEEDED' })
  expect(log.filter((line) => line === '+b' || line === '+y')).toEqual(['+b', '+y'])
})

test('a node without the code of a graph refuses to fork a run of it', async () => {
  const databaseUrl = await testDatabase()
  const { act } = troupe()
  const w = workflow('w').step('a', act('a')).step('b', act('b'))
  const server = await startWorkflowServer({ workflows: [w], databaseUrl })
  const { id } = await server.run({ name: 'w' })
  const other = await startWorkflowServer({ workflows: [workflow('z').value('v', () => 1)], databaseUrl })
  expect(await operate(other, 'forkRun', { id, fromStep: 'b' })).toMatchObject({ code: 'INVALID_INPUT' })
  const { run } = await operate(server, 'forkRun', { id, fromStep: 'b' })
  await comesTo(server, run!.id, 'SUCCEEDED')
})

test('a limited sub-workflow whose params do not fit fails, and gives its turn back', async () => {
  const { act } = troupe()
  const inner = workflow('inner', { params: z.object({ n: z.number() }) }).step('x', act('x'))
  const limit = { key: () => 'l', max: 1 }
  const wrong = workflow('wrong').step('sub', inner, () => ({ n: 'text' }) as never, { limit })
  const right = workflow('right').step('sub', inner, () => ({ n: 1 }), { limit })
  const server = await startWorkflowServer({ workflows: [wrong, right] })
  const run = await server.run({ name: 'wrong' })
  expect(run).toMatchObject({ status: 'FAILED', error: { details: { code: 'INVALID_PARAMS' } } })
  expect((await server.run({ name: 'right' })).status).toBe('SUCCEEDED')
})

test('a workflow that waits for a person has no deadline, and is given the time again when it goes on', async () => {
  const { act, unknown } = troupe()
  const w = workflow('w', { deadlineMs: 1_000 }).step('u', act('u', 'unsafe')).signal('go')
  unknown.add('u')
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run.status).toBe('INDETERMINATE')
  await server.advance(2_000)
  await aWhile()
  expect((await server.look(run.id)).status).toBe('INDETERMINATE')
  await operate(server, 'resolveRun', { id: run.id, step: 'u', outcome: 'SUCCEEDED', result: { what: 'u' } })
  await comesTo(server, run.id, 'WAITING', 'go')
  await comesTo(server, run.id, 'FAILED')
  expect((await server.look(run.id)).error).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
})
