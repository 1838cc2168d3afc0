import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'
import { aWhile, comesTo, troupe } from './troupe.ts'

test('the parts of a list or a sub-workflow that failed are undone too', async () => {
  const { act, broken, log } = troupe()
  broken.add('seat 2').add('car')
  const [hotel, seat] = [act('hotel'), act('seat')]
  const trip = workflow('trip').step('hotel', hotel).step('car', act('car'))
  const listed = workflow('listed', { onError: 'compensate' }).forEach(
    'seats',
    () => [1, 2, 3],
    seat,
    (_, item) => ({ item }),
    {
      concurrency: 1,
    },
  )
  const nested = workflow('nested', { onError: 'compensate' }).step('trip', trip, () => ({}))
  const server = await startWorkflowServer({ workflows: [listed, nested] })
  const runs = [await server.run({ name: 'listed' }), await server.run({ name: 'nested' })]
  expect(runs.map(({ status }) => status)).toEqual(['COMPENSATED', 'COMPENSATED'])
  expect(statesOf(runs[0]!)).toMatchObject({ 'seats[0]': 'COMPENSATED', 'seats[1]': 'FAILED' })
  expect(log).toContain('-undo seat 1')
  expect(log).toContain('-undo hotel')
})

test('a deadline that turns a run back undoes what was done of what is under way', async () => {
  const { act, log } = troupe()
  const stay = workflow('stay').step('hotel', act('hotel')).signal('go')
  const w = workflow('w', { deadlineMs: 1_000, onError: 'compensate' })
    .step('flight', act('flight'))
    .step('stay', stay, () => ({}))
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  expect(run).toMatchObject({ status: 'COMPENSATED', error: { code: 'DEADLINE_EXCEEDED' } })
  expect(log).toEqual([
    '+flight',
    '-flight',
    '+hotel',
    '-hotel',
    '+undo hotel',
    '-undo hotel',
    '+undo flight',
    '-undo flight',
  ])
})

test('a run that is paused, and turns back, goes on when it is resumed', async () => {
  const { act, broken, held, log } = troupe()
  const w = workflow('w', { onError: 'compensate' }).step('a', act('a')).step('bad', act('bad'))
  broken.add('bad')
  held.add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await expect.poll(() => log).toContain('+bad')
  await operate(server, 'pauseRun', { id: run!.id })
  held.clear()
  await comesTo(server, run!.id, 'COMPENSATING')
  await aWhile()
  expect(log).not.toContain('+undo a')
  expect(await operate(server, 'resumeRun', { id: run!.id })).toMatchObject({ __typename: 'ResumeRunPayload' })
  await comesTo(server, run!.id, 'COMPENSATED')
})

test('an outcome that is found out while a workflow turns back is undone, and nothing new begins', async () => {
  const { act, broken, unknown, held, log } = troupe()
  const w = workflow('w', { onError: 'compensate' })
    .forEach(
      'list',
      () => [1, 2],
      act('x', 'unsafe'),
      (_, item) => ({ item }),
    )
    .step('next', act('next'))
    .step('bad', act('bad'), () => ({}), { after: [] })
  unknown.add('x 1')
  broken.add('bad')
  held.add('x 2').add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await comesTo(server, run!.id, 'INDETERMINATE', 'list[0]')
  held.delete('bad')
  await comesTo(server, run!.id, 'FAILED', 'bad')
  held.clear()
  await comesTo(server, run!.id, 'INDETERMINATE')
  const resolved = { id: run!.id, step: 'list[0]', outcome: 'SUCCEEDED', result: { what: 'x 1' } }
  expect(await operate(server, 'resolveRun', resolved)).toMatchObject({ __typename: 'ResolveRunPayload' })
  await comesTo(server, run!.id, 'COMPENSATED')
  expect(log).not.toContain('+next')
  expect(log).toEqual(expect.arrayContaining(['-undo x 1', '-undo x 2']))
  expect((await server.look(run!.id)).error).toMatchObject({ details: { step: 'bad' } })
})

test('what is being undone is let come to its end by whatever fails or is canceled beside it', async () => {
  const { act, broken, held, log } = troupe()
  const trip = workflow('trip', { onError: 'compensate' }).step('x', act('x')).step('y', act('y'))
  const w = workflow('w', { onError: 'compensate' })
    .step('trip', trip, () => ({}), { onError: 'continue' })
    .signal('stop', { after: [], cancels: ['trip'] })
    .step('bad', act('bad'), () => ({}), { after: [] })
  broken.add('y').add('bad')
  held.add('undo x').add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await expect.poll(() => log).toEqual(expect.arrayContaining(['+undo x', '+bad']))
  const stopped = await operate(server, 'signalRun', { id: run!.id, name: 'stop', payload: 1 })
  expect(stopped).toMatchObject({ __typename: 'SignalRunPayload' })
  held.delete('bad')
  await comesTo(server, run!.id, 'FAILED', 'bad')
  held.clear()
  await comesTo(server, run!.id, 'COMPENSATED')
  expect(log).toContain('-undo x')
})

test('a run that was canceled while it was being undone is not made to go on from the half of it', async () => {
  const { act, broken, held, log } = troupe()
  const w = workflow('w', { onError: 'compensate' }).step('a', act('a')).step('bad', act('bad'))
  broken.add('bad')
  held.add('undo a')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await expect.poll(() => log).toContain('+undo a')
  await operate(server, 'cancelRun', { id: run!.id })
  held.clear()
  for (const step of [undefined, 'bad', 'a'])
    expect(await operate(server, 'retryRun', { id: run!.id, ...(step && { step }) })).toMatchObject({
      code: 'INVALID_TRANSITION',
      message: expect.stringContaining('canceled while it was being undone'),
    })
})

test('the run that undoes is retried by its own id, and once', async () => {
  const { act, broken, times } = troupe()
  const w = workflow('w', { onError: 'compensate' }).step('hotel', act('hotel')).step('bill', act('bill'))
  broken.add('bill').add('undo hotel')
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  const { notUndone } = failed.error!.details as { notUndone: { compensationId: string }[] }
  broken.delete('undo hotel')
  await operate(server, 'retryRun', { id: notUndone[0]!.compensationId })
  await comesTo(server, failed.id, 'COMPENSATED')
  expect((await server.look(failed.id)).error).toMatchObject({ code: 'STEP_FAILED', details: { step: 'bill' } })
  expect(times('-undo hotel')).toBe(1)
})

test('what was undone is done again with what it depends on, and undone again', async () => {
  const { act, broken, times } = troupe()
  const inner = workflow('inner', { onError: 'compensate', params: z.looseObject({}) })
    .step('x', act('x'))
    .step('y', act('y'))
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { onError: 'continue' })
    .forEach(
      'list',
      () => [1, 2],
      inner,
      () => ({}),
      { onError: 'continue' },
    )
    .step('bad', act('bad'))
  broken.add('y').add('a').add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = await server.run({ name: 'w' })
  expect(times('-undo x')).toBe(2)
  broken.delete('a')
  await operate(server, 'retryRun', { id, step: 'a' })
  await expect.poll(() => times('-undo x'), { timeout: 10_000 }).toBe(4)
  await comesTo(server, id, 'FAILED')
  broken.clear()
  await operate(server, 'retryRun', { id, step: 'bad' })
  await comesTo(server, id, 'SUCCEEDED')
})

test('a compensation that is retried does not tell those that have gone on without it', async () => {
  const { act, broken } = troupe()
  const inner = workflow('inner', { onError: 'compensate' }).step('x', act('x')).step('y', act('y'))
  const w = workflow('w')
    .step('sub', inner, () => ({}), { onError: 'continue' })
    .signal('go', { after: [] })
    .step('join', act('join'), () => ({}), { after: ['sub', 'go'] })
  broken.add('y').add('undo x')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await comesTo(server, run!.id, 'FAILED', 'sub')
  broken.clear()
  await operate(server, 'retryRun', { id: run!.id, step: 'sub' })
  await comesTo(server, run!.id, 'COMPENSATED', 'sub')
  await aWhile()
  expect(statesOf(await server.look(run!.id))).toMatchObject({ go: 'WAITING', join: 'PENDING' })
})

test('a sub-workflow whose undoing failed is undone by a retry, and what is around it stays as it is', async () => {
  const { act, broken, log, times } = troupe()
  const inner = workflow('inner', { onError: 'compensate' }).step('x', act('x')).step('y', act('y'))
  const w = workflow('w')
    .step('hotel', act('hotel'))
    .step('sub', inner, () => ({}))
  broken.add('y').add('undo x')
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = await server.run({ name: 'w' })
  broken.clear()
  await operate(server, 'retryRun', { id })
  await comesTo(server, id, 'COMPENSATED', 'sub')
  await aWhile()
  expect(log).not.toContain('+undo hotel')
  expect([times('-x'), times('-undo x')]).toEqual([1, 1])
  // and then it is done again
  await operate(server, 'retryRun', { id })
  await comesTo(server, id, 'SUCCEEDED')
  expect([times('-hotel'), times('-x'), times('-y')]).toEqual([1, 2, 1])
})

test('what could not be undone, and is done again after what it depends on, is undone by another run', async () => {
  const { act, broken, times } = troupe()
  const inner = workflow('inner', { onError: 'compensate' }).step('x', act('x')).step('y', act('y'))
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { onError: 'continue' })
    .step('sub', inner, () => ({}), { onError: 'continue' })
    .step('bad', act('bad'))
  broken.add('a').add('y').add('undo x').add('bad')
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = await server.run({ name: 'w' })
  broken.delete('a')
  broken.delete('undo x')
  await operate(server, 'retryRun', { id, step: 'a' })
  await expect.poll(() => times('-undo x'), { timeout: 10_000 }).toBe(1)
  await comesTo(server, id, 'FAILED')
  expect(times('+y')).toBe(2)
})

test('a step is not done again while something that depends on it is being undone', async () => {
  const { act, broken, held, log } = troupe()
  const inner = workflow('inner', { onError: 'compensate' }).step('x', act('x')).step('y', act('y'))
  const w = workflow('w')
    .step('a', act('a'), () => ({}), { onError: 'continue' })
    .forEach(
      'list',
      () => [1],
      inner,
      () => ({}),
      { onError: 'continue' },
    )
  broken.add('a').add('y')
  held.add('undo x')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await expect.poll(() => log).toContain('+undo x')
  const refused = {
    code: 'INVALID_TRANSITION',
    message: expect.stringContaining('list, which depends on it, is being undone'),
  }
  expect(await operate(server, 'retryRun', { id: run!.id, step: 'a' })).toMatchObject(refused)
  held.clear()
  await comesTo(server, run!.id, 'SUCCEEDED')
})

test('several failed steps are retried together beside one whose outcome is unknown', async () => {
  const { act, broken, unknown } = troupe()
  const w = workflow('w', { onError: 'compensate' })
    .step('u', act('u', 'unsafe'), () => ({}), { after: [] })
    .step('one', act('one'), () => ({}), { after: [] })
    .step('two', act('two'), () => ({}), { after: [] })
  unknown.add('u')
  broken.add('one').add('two')
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  if (run.status !== 'INDETERMINATE') throw new Error(run.status)
  unknown.clear()
  broken.clear()
  await operate(server, 'retryRun', { id: run.id })
  await comesTo(server, run.id, 'SUCCEEDED')
})
