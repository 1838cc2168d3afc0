import { expect, test } from 'vitest'
import { workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer } from '../support/workflows.ts'
import { comesTo, troupe } from './troupe.ts'

/** A run that its deadline has turned back, and that waits for the outcome of `u`: in it, or in a workflow of it. */
async function overdue(nested = false) {
  const played = troupe()
  const { act, unknown } = played
  const [a, u] = [act('a'), act('u', 'unsafe')]
  const inner = workflow('inner').step('x', act('x')).step('u', u)
  const begun = workflow('w', { deadlineMs: 60_000, onError: 'compensate' }).step('a', a).signal('go')
  const w = nested
    ? begun.step('inner', inner, () => ({}), { after: ['a'] })
    : begun.step('u', u, () => ({}), { after: ['a'] })
  unknown.add('u')
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  const { id } = run!
  await comesTo(server, id, 'INDETERMINATE', nested ? 'inner' : 'u')
  await comesTo(server, id, 'WAITING', 'go')
  server.advance(70_000)
  await comesTo(server, id, 'INDETERMINATE')
  unknown.clear()
  return { ...played, server, id }
}

const OF_DEADLINE = { code: 'DEADLINE_EXCEEDED' }

test('a run that waits for an outcome on its way back says why it is on it', async () => {
  const { server, id } = await overdue()
  expect((await server.look(id)).error).toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { cause: OF_DEADLINE } })
})

test.each([
  ['that it had happened', { outcome: 'SUCCEEDED', result: { what: 'u' } }, ['-undo u', '-undo a']],
  ['that it had not happened', { outcome: 'FAILED' }, ['-undo a']],
])('what a deadline has turned back is undone once it is found out of an effect %s', async (_, found, undone) => {
  const { server, id, log } = await overdue()
  await operate(server, 'resolveRun', { id, step: 'u', ...found })
  await comesTo(server, id, 'COMPENSATED')
  expect((await server.look(id)).error).toMatchObject(OF_DEADLINE)
  expect(log.filter((line) => line.startsWith('-undo'))).toEqual(undone)
})

test.each(['retryRun', 'skipStep'])(
  'a step of what a deadline has turned back does not make it go forward: %s',
  async (by) => {
    const { server, id, times } = await overdue()
    await operate(server, by, { id, step: 'u' })
    await comesTo(server, id, 'COMPENSATED')
    expect((await server.look(id)).error).toMatchObject(OF_DEADLINE)
    expect([times('-undo u'), times('-undo a')]).toEqual([by === 'retryRun' ? 1 : 0, 1])
  },
)

test('a workflow in what a deadline has turned back is undone with it once its outcome is found out', async () => {
  const { server, id, log } = await overdue(true)
  await operate(server, 'resolveRun', { id, step: 'inner/u', outcome: 'SUCCEEDED', result: { what: 'u' } })
  await comesTo(server, id, 'COMPENSATED')
  expect((await server.look(id)).error).toMatchObject(OF_DEADLINE)
  expect(log.filter((line) => line.startsWith('-undo'))).toEqual(['-undo u', '-undo x', '-undo a'])
})

test.each([false, true])(
  'a run that a deadline has turned back is retried as a whole, with the time that it had (nested: %s)',
  async (nested) => {
    const { server, id, log } = await overdue(nested)
    await operate(server, 'retryRun', { id })
    await comesTo(server, id, 'WAITING', 'go')
    await operate(server, 'signalRun', { id, name: 'go', payload: 1 })
    await comesTo(server, id, 'SUCCEEDED')
    expect(log).not.toContain('+undo a')
  },
)
