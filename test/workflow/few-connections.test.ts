import { expect, test } from 'vitest'
import { MIN_CONNECTIONS } from '../../src/db/client.ts'
import { workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'
import { comesTo, troupe } from './troupe.ts'

const databaseConnections = MIN_CONNECTIONS

test('a graph that a node reads for the first time is read while all connections of transactions are taken', async () => {
  const databaseUrl = await testDatabase()
  const { act } = troupe()
  const known = await startWorkflowServer({ workflows: [workflow('w').signal('go').step('a', act('a'))], databaseUrl })
  const { run } = await known.start({ name: 'w' })
  await comesTo(known, run!.id, 'WAITING', 'go')
  await known.stop()
  const other = await startWorkflowServer({ databaseUrl, databaseConnections })
  const signaled = await operate(other, 'signalRun', { id: run!.id, name: 'go', payload: null })
  expect(signaled.__typename).toBe('SignalRunPayload')
  expect(statesOf(await other.look(run!.id))).toMatchObject({ go: 'QUEUED' })
})

test('a sub-workflow that is named is looked up while all connections of transactions are taken', async () => {
  const databaseUrl = await testDatabase()
  const other = await startWorkflowServer({ databaseUrl })
  const define = 'mutation($input: DefineWorkflowInput!) { defineWorkflow(input: $input) { __typename } }'
  const inner = { name: 'inner', steps: [{ key: 'v', value: '1' }] }
  const outer = {
    name: 'outer',
    steps: [
      { key: 'go', signal: 'go' },
      { key: 'sub', workflow: 'inner', params: '{}' },
    ],
  }
  for (const definition of [inner, outer]) await other.query(define, { input: { definition } })
  const { run } = await other.start({ name: 'outer' })
  await comesTo(other, run!.id, 'WAITING', 'go')
  await other.stop()
  const server = await startWorkflowServer({ databaseUrl, databaseConnections })
  await operate(server, 'signalRun', { id: run!.id, name: 'go', payload: null })
  await comesTo(server, run!.id, 'SUCCEEDED')
})
