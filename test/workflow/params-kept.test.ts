import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const params = z.object({ n: z.number() })

test('a start that is a mismatch leaves alone what the run of its key goes on with, also on a node that has yet to read it', async () => {
  const databaseUrl = await testDatabase()
  const w = workflow('w', { params })
    .signal('go')
    .value('v', ({ params }) => params.n)
  const first = await startWorkflowServer({ workflows: [w], databaseUrl })
  const { run } = await first.start({ name: 'w', params: { n: 1 }, idempotencyKey: 'k' })
  await first.stop()
  const second = await startWorkflowServer({ workflows: [w], databaseUrl })
  const other = await second.start({ name: 'w', params: { n: 666 }, idempotencyKey: 'k' })
  expect(other).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  await operate(second, 'signalRun', { id: run!.id, name: 'go', payload: null })
  await expect.poll(async () => (await second.look(run!.id)).status).toBe('SUCCEEDED')
  expect((await second.look(run!.id)).result).toBe(1)
})

test('a sub-workflow goes on with what was committed, and not with what was rolled back', async () => {
  const a = action('a', {
    effect: 'transactional',
    result: params,
    retry: { backoff: { initialMs: 0 } },
    run: async ({ tx, attempt }) => {
      // the first has no parent, which is found out by its commit
      await tx.execute(sql`insert into child (parent) values (${attempt})`)
      return { n: attempt }
    },
  })
  const inner = workflow('inner', { params }).value('v', ({ params }) => params.n)
  const w = workflow('w')
    .step('a', a, () => ({}))
    .step('inner', inner, ({ a }) => ({ n: a.n }))
  const server = await startWorkflowServer({
    actions: [a],
    workflows: [w],
    migrate: async (db) => {
      await db.execute(sql`create table parent (id int primary key)`)
      await db.execute(sql`insert into parent values (2)`)
      await db.execute(sql`create table child (parent int references parent deferrable initially deferred)`)
    },
  })
  expect(await server.run({ name: 'w' })).toMatchObject({ status: 'SUCCEEDED', result: 2 })
})
