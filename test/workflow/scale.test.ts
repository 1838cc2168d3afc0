import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, type Workflow, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { queryOf } from '../support/notes.ts'
import { logStatements } from '../support/statements.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const MINUTES = 60_000

/** Counts how often it was called, with what. */
function counting() {
  const calls = new Map<number, number>()
  const count = action('count', {
    params: z.object({ n: z.number() }),
    run: ({ params: { n } }) => {
      calls.set(n, (calls.get(n) ?? 0) + 1)
      return n + 1
    },
  })
  return { count, calls }
}

/** Each step is given what the one before it left. */
function chain(name: string, { count }: ReturnType<typeof counting>, n: number): Workflow {
  let w = workflow(name) as unknown as {
    step(key: string, target: typeof count, input: (before: Record<string, number>) => { n: number }): typeof w
  }
  for (let i = 0; i < n; i++) w = w.step(`s${i}`, count, (before) => ({ n: i === 0 ? 0 : (before[`s${i - 1}`] ?? -1) }))
  return w as unknown as Workflow
}

test('a chain of 1,000 steps passes its results on, and each step is done once', { timeout: 2 * MINUTES }, async () => {
  const counted = counting()
  const server = await startWorkflowServer({ workflows: [chain('chain', counted, 1_000)], leaseMs: 600_000 })
  const run = await server.run({ name: 'chain', waitMs: MINUTES })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 1_000 })
  expect([...counted.calls]).toEqual(Array.from({ length: 1_000 }, (_, n) => [n, 1]))
})

test('a fan-out of 10,000 is joined, in order, and each is done once', { timeout: 3 * MINUTES }, async () => {
  const { count, calls } = counting()
  const all = Array.from({ length: 10_000 }, (_, n) => n)
  const w = workflow('wide')
    .forEach(
      'each',
      () => all,
      count,
      (_, n) => ({ n }),
    )
    .value('join', ({ each }) => each.reduce((sum: number, one, i) => sum + Number(one === i + 1), 0))
  const server = await startWorkflowServer({ workflows: [w], leaseMs: 600_000 })
  const run = await server.run({ name: 'wide', waitMs: 2 * MINUTES })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 10_000 })
  expect(calls.size).toBe(10_000)
  expect(Math.max(...calls.values())).toBe(1)
})

test('1,000 runs of 10 steps at once all end, each step done once', { timeout: 3 * MINUTES }, async () => {
  const counted = counting()
  const databaseUrl = await testDatabase()
  const server = await startWorkflowServer({ databaseUrl, workflows: [chain('ten', counted, 10)], leaseMs: 600_000 })
  const ask = async (i: number) =>
    (await server.run({ name: 'ten', idempotencyKey: `${i}`, waitMs: 2 * MINUTES })).status
  const ended = await Promise.all(Array.from({ length: 1_000 }, (_, i) => ask(i)))
  expect(new Set(ended)).toEqual(new Set(['SUCCEEDED']))
  expect([...counted.calls.values()]).toEqual(Array.from({ length: 10 }, () => 1_000))
  const attempts = await queryOf(databaseUrl)`
    select count(*)::int, max(attempt)::int from action_do.runs where succeeded_by is not null`
  expect(attempts).toEqual([{ count: 10_000, max: 1 }])
})

test('who completes a step starts the next one in the same commit: one statement, without a lock or a read before it', async () => {
  const counted = counting()
  const log = await logStatements(await testDatabase())
  const workflows = [chain('short', counted, 10), chain('long', counted, 60)]
  const server = await startWorkflowServer({
    databaseUrl: log.databaseUrl,
    workflows,
    leaseMs: 600_000,
    pollMs: 60_000,
  })
  await server.run({ name: 'short' })
  const statements = async (name: string) => {
    const before = log.statements.length
    await server.run({ name })
    return log.statements.slice(before).filter((statement) => /^\s*commit|action_do\.runs/.test(statement)).length
  }
  const [short, long] = [await statements('short'), await statements('long')]
  expect(long - short).toBe(50)
  expect(short).toBeLessThan(25)
})
