import { expect, test } from 'vitest'
import { workflow } from '../../../src/index.ts'
import { testDatabase } from '../../support/database.ts'
import { operate } from '../../support/operations.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

/** Waits for a signal behind a task that is held. */
function triggered(transient: boolean, { task }: ReturnType<typeof stage>) {
  return workflow('w')
    .step('before', task, holds('before'))
    .signal('bell', { transient })
    .step('next', task, does('next'))
    .result(({ bell }) => bell)
}

test('23 Transient Trigger: a signal that nobody waits for is lost; one that comes while the task waits triggers it', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [triggered(true, played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('before')
  await signal(server, id, 'bell', 'too early')
  played.release('before')
  await reaches(server, id, { before: 'SUCCEEDED', bell: 'WAITING', next: 'PENDING' })
  await signal(server, id, 'bell', 'in time')
  expect((await ends(server, id)).result).toBe('in time')
  expect(played.log).toEqual(['+before', '-before', '+next', '-next'])
})

test('24 Persistent Trigger: a signal that nobody waits for is kept until the task that takes it begins, each once', async () => {
  const played = stage()
  const w = triggered(false, played)
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await played.begun('before')
  await signal(server, id, 'bell', 'first')
  await signal(server, id, 'bell', 'second')
  expect(statesOf(await server.look(id))).toEqual({ before: 'RUNNING', bell: 'PENDING', next: 'PENDING' })
  played.release('before')
  expect((await ends(server, id)).result).toBe('first')
  expect(played.log).toEqual(['+before', '-before', '+next', '-next'])
})

test('23 Transient Trigger: a node that has not its code refuses the signal, which its step would never take', async () => {
  const databaseUrl = await testDatabase()
  const w = workflow('w').signal('bell', { transient: true })
  const server = await startWorkflowServer({ workflows: [w], databaseUrl })
  const other = await startWorkflowServer({ workflows: [workflow('v').value('x', () => 1)], databaseUrl })
  const { run } = await server.start({ name: 'w' })
  const signal = { id: run!.id, name: 'bell', payload: 1 }
  await expect.poll(async () => (await server.look(run!.id)).steps[0]?.status).toBe('WAITING')
  expect(await operate(other, 'signalRun', signal)).toMatchObject({ code: 'INVALID_INPUT' })
  await operate(server, 'signalRun', signal)
  await expect.poll(async () => (await server.look(run!.id)).status).toBe('SUCCEEDED')
})
