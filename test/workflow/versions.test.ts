import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const echo = action('echo', { params: z.object({ v: z.string() }), result: z.string(), run: ({ params }) => params.v })
const version = (v: string) =>
  workflow('w', { version: v })
    .signal('go')
    .step('a', echo, () => ({ v }))

test('a run goes on with the graph that it started with where that is still registered, and says so while it is not', async () => {
  const databaseUrl = await testDatabase()
  const old = await startWorkflowServer({ workflows: [version('1')], databaseUrl })
  const { run } = await old.start({ name: 'w' })
  await old.stop()
  const next = await startWorkflowServer({ workflows: [version('2')], databaseUrl })
  const id = run!.id
  await operate(next, 'signalRun', { id, name: 'go' })
  const blocked = () =>
    next.query<{
      run: {
        steps: { key: string; status: string; run: { blockedBy: string | null } }[]
        workflow: { version: string }
      }
    }>(
      `query($id: ID!) { run(id: $id) { ... on WorkflowRun { workflow { version } steps { key status run { blockedBy } } } } }`,
      { id },
    )
  const { run: waiting } = await blocked()
  expect(waiting.workflow.version).toBe('1')
  expect(waiting.steps.find(({ key }) => key === 'go')).toMatchObject({
    status: 'QUEUED',
    run: {
      blockedBy: expect.stringMatching(/^No live worker has registered the graph [0-9a-f]{12}… of its workflow\.$/),
    },
  })
  expect((await next.run({ name: 'w', waitMs: 0 })).status).toBe('RUNNING')
  await next.stop()
  const both = await startWorkflowServer({
    workflows: [workflow('w', { version: '3', previous: [version('1'), version('2')] }).value('x', () => 3)],
    databaseUrl,
  })
  await expect.poll(async () => (await both.look(id)).result, { timeout: 10_000 }).toBe('1')
  expect((await both.run({ name: 'w' })).result).toBe(3)
})

test('a step whose action nobody has registered waits, and says for what', async () => {
  const databaseUrl = await testDatabase()
  const { actionRef } = await import('../../src/index.ts')
  const w = workflow('w').step('a', actionRef<{ v: string }, string>('echo'), () => ({ v: 'x' }))
  const without = await startWorkflowServer({ workflows: [w], databaseUrl })
  const { run } = await without.start({ name: 'w' })
  const { run: shown } = await without.query<{ run: { steps: { run: { blockedBy: string } }[] } }>(
    `query($id: ID!) { run(id: $id) { ... on WorkflowRun { steps { run { blockedBy } } } } }`,
    { id: run!.id },
  )
  expect(shown.steps[0]!.run.blockedBy).toBe('No live worker has registered the action echo.')
  await startWorkflowServer({ workflows: [w], actions: [echo], databaseUrl })
  await expect.poll(async () => (await without.look(run!.id)).result, { timeout: 10_000 }).toBe('x')
})
