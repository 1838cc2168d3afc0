import { expect, test } from 'vitest'
import { workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { queryOf } from '../support/notes.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'
import { comesTo, troupe } from './troupe.ts'

/** A sequence of three, whose second step is under way on a node that knows the tree; and another node, which executes nothing. */
async function inTheMiddle() {
  const { act, held, log } = troupe()
  const actions = [act('a'), act('b'), act('c')]
  const steps = workflow('w')
    .step('a', actions[0]!, () => ({}))
    .step('b', actions[1]!, () => ({}))
    .step('c', actions[2]!, () => ({}))
  const databaseUrl = await testDatabase()
  // what one node does, the other has to find out: nobody tells it, and it does not look by itself
  const alone = { databaseUrl, workflows: [steps], actions, notify: 'off' as const, leaseMs: 600_000, pollMs: 60_000 }
  const server = await startWorkflowServer(alone)
  const other = await startWorkflowServer({ ...alone, role: 'api' as const })
  held.add('b')
  const { run } = await server.start({ name: 'w', waitMs: 0 })
  await expect.poll(() => log).toContain('+b')
  return { server, other, id: run!.id, letGo: () => held.delete('b'), log, sql: queryOf(databaseUrl) }
}

test('a pause by another node holds back the step after the one that is under way', async () => {
  const { server, other, id, letGo, log } = await inTheMiddle()
  expect(await operate(other, 'pauseRun', { id })).toMatchObject({ replayed: false })
  letGo()
  await comesTo(server, id, 'SUCCEEDED', 'b')
  expect(statesOf(await server.look(id)).c).toBe('QUEUED')
  expect(log).toEqual(['+a', '-a', '+b', '-b'])
  await operate(server, 'resumeRun', { id })
  await comesTo(server, id, 'SUCCEEDED')
})

test('a cancel by another node ends what is under way, and nothing follows it', async () => {
  const { server, other, id, letGo, log } = await inTheMiddle()
  await operate(other, 'cancelRun', { id })
  letGo()
  await comesTo(server, id, 'CANCELED')
  expect(statesOf(await server.look(id))).toEqual({ a: 'SUCCEEDED', b: 'CANCELED', c: 'PENDING' })
  expect(log).not.toContain('+c')
})

test('a worker whose lease has ended records what it did, and is given nothing more', async () => {
  const { server, id, letGo, log, sql } = await inTheMiddle()
  await sql`update action_do.workers set lease_expires_at = '-infinity'`
  letGo()
  await comesTo(server, id, 'SUCCEEDED', 'b')
  expect(statesOf(await server.look(id)).c).toBe('QUEUED')
  expect(log).not.toContain('+c')
})
