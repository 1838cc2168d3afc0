import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { fingerprint } from '../../src/core/idempotency.ts'
import { bucketOf, keyedRunId } from '../../src/core/ids.ts'
import { client } from '../../src/db/client.ts'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { RunWait } from '../../src/executor/wait.ts'
import { type Action, action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { latch } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

async function startTwo(actions: readonly Action[]): Promise<[TestServer, TestServer]> {
  const databaseUrl = await testDatabase()
  return [await startTestServer(actions, { databaseUrl }), await startTestServer(actions, { databaseUrl })]
}

test('14: 100 identical calls at once, on two nodes: one execution, 99 attach and get its outcome', async () => {
  const done: string[] = []
  const finish = latch()
  const charge = action('charge', {
    run: async ({ idempotencyKey }) => {
      done.push(idempotencyKey)
      await finish.opened
      return { receipt: done.length }
    },
  })
  const nodes = await startTwo([charge])
  const attached = vi.spyOn(RunWait.prototype, 'settled')
  onTestFinished(() => attached.mockRestore())

  const input = { name: 'charge', params: { cents: 5 }, idempotencyKey: 'invoice-1' }
  const calls = Array.from({ length: 100 }, (_, i) => nodes[i % 2]!.execute(input))
  // each caller waits for an outcome that is not there yet
  await until(() => attached.mock.calls.length === 100)
  expect(new Set(attached.mock.calls.map(([run]) => run.status))).toEqual(new Set(['RUNNING']))
  finish.open()

  const answers = await Promise.all(calls)
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  const [first] = answers
  expect(first?.run).toMatchObject({ status: 'SUCCEEDED', result: { receipt: 1 } })
  for (const { run } of answers) expect(run).toEqual(first?.run)
  expect(done).toEqual([first?.run?.id])
})

test('15: two calls at once with different params: one wins, the other is a mismatch, 50 times', async () => {
  const done: unknown[] = []
  const keep = action('keep', { params: z.object({ from: z.string() }), run: ({ params }) => done.push(params.from) })
  const nodes = await startTwo([keep])
  const winners: string[] = []
  for (let round = 0; round < 50; round++) {
    const answers = await Promise.all(
      nodes.map((node, i) =>
        node.execute({ name: 'keep', idempotencyKey: `round-${round}`, params: { from: `node ${i} ${round}` } }),
      ),
    )
    const winner = answers.findIndex(({ replayed }) => replayed === false)
    expect(answers[1 - winner], `round ${round}`).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
    winners.push(`node ${winner} ${round}`)
  }
  expect(done).toEqual(winners)
})

test('16: the winner rolls back while others wait: exactly one of them proceeds', async () => {
  const done: string[] = []
  const charge = action('charge', { run: ({ idempotencyKey }) => ({ receipt: done.push(idempotencyKey) }) })
  const nodes = await startTwo([charge])
  const [{ executor, databaseUrl }] = nodes
  const id = keyedRunId('ACTION', 'charge', 'invoice-1')
  const own = client(databaseUrl, { max: 1 })
  onTestFinished(() => own.end())

  const changedItsMind = new Error('the winner changed its mind')
  let calls: ReturnType<TestServer['execute']>[] = []
  const winner = own.begin(async (tx) => {
    const row = {
      bucket: bucketOf(id),
      id,
      kind: 'ACTION',
      name: 'charge',
      version: '1',
      effect: 'idempotent',
      idempotencyKey: 'invoice-1',
      fingerprint: fingerprint({}).toString('hex'),
      params: {},
      status: 'QUEUED',
      priority: 0,
      workerId: null,
      runAt: null,
      actor: 'the winner',
    } as const
    // the same statement, on a connection whose transaction is not yet over
    expect(await submitRuns({ ...executor.db, hot: tx as never, warm: tx as never }, [row])).toMatchObject([
      { status: row.status },
    ])
    calls = Array.from({ length: 20 }, (_, i) => nodes[i % 2]!.execute({ name: 'charge', idempotencyKey: 'invoice-1' }))
    // one submission of each node waits for the winner's transaction, and the others wait for that one
    await until(async () => (await waitingForLocks(executor)) === 2)
    throw changedItsMind
  })
  await expect(winner).rejects.toBe(changedItsMind)

  const answers = await Promise.all(calls)
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  for (const { run } of answers) expect(run).toMatchObject({ status: 'SUCCEEDED', result: { receipt: 1 } })
  expect(answers[0]?.run?.events[0]?.actor).toBe('DO_API_KEY')
  expect(done).toHaveLength(1)
})

async function waitingForLocks({ db }: TestServer['executor']): Promise<number> {
  const rows = await db.reads`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'transactionid'`
  return rows.length
}
