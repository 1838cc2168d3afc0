import { expect, test } from 'vitest'
import { workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { oneTo, seqsOf } from '../support/event-streams.ts'
import { queryOf } from '../support/notes.ts'
import { operate } from '../support/operations.ts'
import { uuidOf } from '../support/runs.ts'
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

test('the end of a step leaves the row of the workflow alone, and everybody knows its newest event all the same', async () => {
  const { server, other, id, letGo, sql } = await inTheMiddle()
  const rowOf = () => sql`select xmin::text, last_seq, fence from action_do.runs where id = ${uuidOf(id)}`
  const [made] = await rowOf()
  // submitted, and a has begun
  expect(made?.last_seq).toBe(2)
  for (const node of [server, other]) expect((await node.look(id)).lastSeq).toBe(4)
  // whoever changes the tree under its lock goes on from there
  await operate(other, 'pauseRun', { id })
  const [paused] = await rowOf()
  expect(paused).toMatchObject({ last_seq: 5, fence: made?.fence + 1 })
  letGo()
  await comesTo(server, id, 'SUCCEEDED', 'b')
  await operate(server, 'resumeRun', { id })
  await comesTo(server, id, 'SUCCEEDED')
  const { events, lastSeq } = await server.look(id)
  expect(seqsOf(events)).toEqual(oneTo(lastSeq))
})

test('where another has taken the number of the next event, the tree is locked and read, and nothing is lost', async () => {
  const { server, id, letGo, log, sql } = await inTheMiddle()
  await sql`
    insert into action_do.written_events (bucket, root_id, seq, run_id, at, from_status, to_status, reason)
    select bucket, id, 5, id, now(), 'RUNNING', 'RUNNING', 'REVIVED' from action_do.runs where id = ${uuidOf(id)}`
  letGo()
  await comesTo(server, id, 'SUCCEEDED')
  const { events } = await server.look(id)
  expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c'])
  expect(events.slice(4, 7).map(({ step, reason }) => [step, reason])).toEqual([
    [null, 'REVIVED'],
    ['b', 'COMPLETED'],
    ['c', 'STARTED'],
  ])
})
