import { expect, test } from 'vitest'
import { runById } from '../../src/db/reads/runs.ts'
import { startWorkflow } from '../../src/executor/commands/start-workflow.ts'
import { action, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { logStatements } from '../support/statements.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const echo = action('echo', { run: ({ params }) => params as object })
const broken = action('broken', { run: () => Promise.reject(new Error('no')), retry: { maxAttempts: 1 } })
const lasting = action('lasting', { run: () => new Promise((resolve) => setTimeout(resolve, 500, null)) })
const LARGE = 'x'.repeat(20_000)

const workflows = [
  workflow('echoes')
    .step('a', echo, ({ params }) => params as object)
    .step('b', echo, ({ a }) => a as object)
    .result(({ b }) => b),
  workflow('lists')
    .forEach(
      'each',
      () => [1, 2, 3],
      echo,
      (_, item) => ({ item }),
    )
    .result(({ each }) => each),
  workflow('fails').step('a', broken, () => ({})),
  workflow('lasts').step('a', lasting, () => ({})),
]

/** Starts a workflow in the process of the server; `reads`: how often the database was asked for a run on the way. */
async function started() {
  const log = await logStatements(await testDatabase())
  const server = await startWorkflowServer({ databaseUrl: log.databaseUrl, actions: [echo], workflows, pollMs: 60_000 })
  const { executor } = server
  return async (name: string, params: unknown, waitMs = 20_000) => {
    const request = { name, definition: undefined, params, waitMs, runAt: null, idempotencyKey: `the ${name} key` }
    const before = log.statements.length
    const { run, replayed } = await startWorkflow(executor, request, 'test')
    const reads = log.statements
      .slice(before)
      .filter((text) => /^\s*select/.test(text) && text.includes('r.fingerprint')).length
    return {
      run,
      replayed,
      reads,
      read: await runById(executor.db, run.id),
      again: () => startWorkflow(executor, request, 'test'),
    }
  }
}

test.each([
  ['echoes', { n: 1 }, 20_000, 'SUCCEEDED'],
  ['lists', {}, 20_000, 'SUCCEEDED'],
  ['fails', { 'a "quoted" \\ member': null }, 20_000, 'FAILED'],
  ['lasts', { n: [1] }, 0, 'RUNNING'],
])(
  'who starts %s is told of it as the database has it, and nobody asks the database',
  async (name, params, waitMs, status) => {
    const start = await started()
    const { run, read, reads, replayed } = await start(name, params, waitMs)
    expect(run).toMatchObject({ status, params })
    expect(run).toEqual(read)
    expect({ reads, replayed }).toEqual({ reads: 0, replayed: false })
  },
)

test('what is too large to be kept is read', async () => {
  const start = await started()
  const { run, read, reads } = await start('echoes', { LARGE })
  expect(run).toMatchObject({ status: 'SUCCEEDED', params: { LARGE }, result: { LARGE } })
  expect(run).toEqual(read)
  expect(reads).toBe(1)
})

test('a repetition is answered with the run as the database has it', async () => {
  const start = await started()
  const { read, again } = await start('echoes', { n: 1 })
  expect(await again()).toEqual({ run: read, replayed: true })
})
