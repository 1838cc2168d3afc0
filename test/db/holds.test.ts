import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ids.ts'
import type { Database } from '../../src/db/client.ts'
import { dropHolds, runsHeldBy, runsOfWorker } from '../../src/db/holds.ts'
import { registerWorker } from '../../src/db/leases.ts'
import { listRuns } from '../../src/db/reads/run-list.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import { endAttempts } from '../../src/db/transitions/end-attempts.ts'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { insertRoots } from '../../src/db/tree/insert-roots.ts'
import { runnerOf } from '../../src/db/tree/statement-runner.ts'
import { testDatabase } from '../support/database.ts'
import { anEnd, newRun, openDatabase, submitHeld } from './support.ts'

const held = (overrides = {}) => newRun({ status: 'RUNNING', workerId: 'w', ...overrides })

async function holds(db: Database): Promise<number> {
  const [row] = await db.reads<{ count: number }[]>`select count(*)::int as count from action_do.holds`
  return row!.count
}

test('what a commit gives to a worker is one row, which goes when nothing of it runs any more', async () => {
  const db = openDatabase(await testDatabase())
  const [first, second] = [held(), held()]
  await submitHeld(db, [first, second])
  expect(await holds(db)).toBe(1)

  await endAttempts(db, [anEnd(first)])
  await dropHolds(db, 'w')
  expect(await holds(db)).toBe(1)
  expect(await runsHeldBy(db, 'w')).toEqual([{ id: second.id, fence: 1 }])
  expect(await runsOfWorker(db, 'w')).toMatchObject([{ id: second.id, status: 'RUNNING' }])

  await endAttempts(db, [anEnd(second)])
  await dropHolds(db, 'w')
  expect(await holds(db)).toBe(0)
  expect(await runsHeldBy(db, 'w')).toEqual([])
})

test('a run that a worker was given twice is held once, and only by the one that has it', async () => {
  const db = openDatabase(await testDatabase())
  const run = held()
  await submitHeld(db, [run])
  const back = anEnd(run, {
    to: 'QUEUED',
    reason: 'WORKER_STOPPED',
    attemptStatus: 'CANCELED',
    result: null,
    delayMs: 0,
  })
  await endAttempts(db, [back])
  const names = [{ name: 'work', effect: 'idempotent' as const, slots: 1 }]
  await claimRuns(db, { workerId: 'w', total: 1, names })
  expect(await holds(db)).toBe(2)
  expect(await runsHeldBy(db, 'w')).toEqual([{ id: run.id, fence: 2 }])

  await endAttempts(db, [{ ...back, fence: 2 }])
  await registerWorker(db, 'other', 60_000)
  await claimRuns(db, { workerId: 'other', total: 1, names })
  expect(await runsHeldBy(db, 'w')).toEqual([])
  expect(await runsHeldBy(db, 'other')).toEqual([{ id: run.id, fence: 3 }])
})

test('the list of what is RUNNING has each action that a worker holds, each workflow that moves, and no other', async () => {
  const db = openDatabase(await testDatabase())
  const [running, ended] = [held(), held()]
  await submitHeld(db, [running, ended, newRun()])
  await endAttempts(db, [anEnd(ended)])
  const id = randomUUID()
  const workflow = {
    id,
    bucket: bucketOf(id),
    name: 'w',
    version: '1',
    graph: 'g',
    idempotencyKey: null,
    fingerprint: '00',
  }
  await insertRoots(runnerOf(db.hot), [{ ...workflow, params: {}, priority: 0 }], 0)
  const listed = await listRuns(db, { limit: 10, filter: { status: ['RUNNING'] }, from: 'newest' })
  expect(listed.map((run) => run.id).sort()).toEqual([running.id, id].sort())
})

test('an attempt that ends well touches no index: the new version of the run stays on its page', async () => {
  const db = openDatabase(await testDatabase())
  const runs = Array.from({ length: 5 }, () => held())
  await registerWorker(db, 'w', 60_000)
  const [row] = await db.hot.begin(async (tx) => {
    const within = { ...db, hot: tx as never, warm: tx as never }
    await submitRuns(within, runs)
    await endAttempts(
      within,
      runs.map((run) => anEnd(run)),
    )
    return tx<{ updated: number; hot: number }[]>`
      select n_tup_upd::int as updated, n_tup_hot_upd::int as hot from pg_stat_xact_user_tables
      where schemaname = 'action_do' and relname = 'runs'`
  })
  expect(row).toEqual({ updated: 5, hot: 5 })
})
