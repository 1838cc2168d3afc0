import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { AT_ONCE } from '../support/control.ts'
import { testDatabase } from '../support/database.ts'
import { latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { logStatements } from '../support/statements.ts'

const PAGE = `query($first: Int) { runs(first: $first) { pageInfo { hasNextPage }
  edges { node { id params error { code } attempts { number error { message } } events { seq data } } } } }`

/** Nothing that would be read for each caller. */
const EXECUTE = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) {
  ... on ExecuteActionPayload { replayed run { status result } } } }`

/** An API node that works on nothing by itself, behind a log of its statements. */
async function quietNode(databaseUrl: string, actions: Parameters<typeof startTestServer>[0]) {
  const log = await logStatements(databaseUrl)
  const options = { databaseUrl: log.databaseUrl, role: 'api', pollMs: 60_000, notify: 'on' } as const
  const node = await startTestServer(actions, options)
  // the first call of each kind also learns about types and prepares
  return { node, statements: log.statements }
}

test('a page of runs with attempts and events takes the same few statements whatever its size', async () => {
  const flaky = action('flaky', {
    retry: { maxAttempts: 2, backoff: AT_ONCE },
    run: ({ attempt }) => {
      if (attempt === 1) throw new Error('once')
    },
  })
  const databaseUrl = await testDatabase()
  const server = await startTestServer([flaky], { databaseUrl })
  const inputs = Array.from({ length: 100 }, () => ({ name: 'flaky' }))
  const { executeActions } = await server.query<{ executeActions: { run: { id: string } }[] }>(
    `mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) {
      ... on ExecuteActionPayload { run { id } } } }`,
    { inputs },
  )
  await Promise.all(executeActions.map(({ run }) => settled(server, run.id)))

  const { node, statements } = await quietNode(databaseUrl, [flaky])
  const counts: Record<number, number> = {}
  for (const first of [1, 10, 100]) {
    await node.query(PAGE, { first })
    const before = statements.length
    const { runs } = await node.query<{ runs: { edges: { node: { attempts: unknown[]; events: unknown[] } }[] } }>(
      PAGE,
      { first },
    )
    counts[first] = statements.length - before
    expect(runs.edges).toHaveLength(first)
    for (const { node: run } of runs.edges) {
      expect(run.attempts).toHaveLength(2)
      expect(run.events.length).toBeGreaterThan(4)
    }
  }
  expect(counts).toEqual({ 1: 3, 10: 3, 100: 3 })
  expect(statements.slice(-3).every((statement) => /^\s*select/.test(statement))).toBe(true)
})

test('two hundred callers that wait for one run on another node take no query each', async () => {
  const free = latch()
  const slow = action('slow', { run: () => free.opened.then(() => 'done') })
  const databaseUrl = await testDatabase()
  const worker = await startTestServer([slow], { databaseUrl })
  const id = await submit(worker, { name: 'slow', idempotencyKey: 'k' })
  const { node, statements } = await quietNode(databaseUrl, [slow])
  const call = (waitMs: number) => node.query(EXECUTE, { input: { name: 'slow', idempotencyKey: 'k', waitMs } })
  await call(0)

  const callers = Array.from({ length: 200 }, () => call(20_000))
  for (const answer of await Promise.all(Array.from({ length: 200 }, () => call(0))))
    expect(answer).toEqual({ executeAction: { replayed: true, run: { status: 'RUNNING', result: null } } })
  const before = statements.length
  free.open()
  await settled(worker, id)
  // what the worker's hint would say, so that the test also holds without notifications
  node.executor.lookAtEverything()
  for (const answer of await Promise.all(callers))
    expect(answer).toEqual({ executeAction: { replayed: true, run: { status: 'SUCCEEDED', result: 'done' } } })
  expect(statements.length - before).toBeLessThan(20)
})

test('two hundred callers that wait on the node that executes read nothing to learn of the end', async () => {
  const free = latch()
  const slow = action('slow', { run: () => free.opened.then(() => 'done') })
  const log = await logStatements(await testDatabase())
  const options = { databaseUrl: log.databaseUrl, pollMs: 60_000, notify: 'on' } as const
  const server = await startTestServer([slow], options)
  const input = { name: 'slow', idempotencyKey: 'k', waitMs: 20_000 }
  await submit(server, { ...input, waitMs: 0 })
  const callers = Array.from({ length: 200 }, () => server.query(EXECUTE, { input }))
  const probes = Array.from({ length: 200 }, () => server.query(EXECUTE, { input: { ...input, waitMs: 0 } }))
  await Promise.all(probes)
  const before = log.statements.length
  free.open()
  for (const answer of await Promise.all(callers))
    expect(answer).toEqual({ executeAction: { replayed: true, run: { status: 'SUCCEEDED', result: 'done' } } })
  expect(log.statements.length - before).toBeLessThan(20)
})
