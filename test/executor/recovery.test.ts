import { pino } from 'pino'
import { expect, test } from 'vitest'
import { showRunId } from '../../src/core/ids.ts'
import type { Database } from '../../src/db/client.ts'
import { expireLease, registerWorker } from '../../src/db/leases.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { recoverLostRuns } from '../../src/executor/recover-lost-runs.ts'
import { Registry } from '../../src/executor/registry.ts'
import { type Action, action } from '../../src/index.ts'
import { newRun, openDatabase, recordOf, submitLost } from '../db/support.ts'
import { testDatabase } from '../support/database.ts'
import { happened, settled } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { noSteps } from '../support/steps.ts'

const log = pino({ level: 'silent' })
const never = () => Promise.reject(new Error('nobody executes this'))

interface Recorded {
  run: { status: string; losses: number; failures: number; probe: boolean; error: { code: string } | null }
  events: { reason: string }[]
  attempts: { status: string }[]
}

function recover(db: Database, work: Action, maxLosses = 5) {
  return recoverLostRuns(db, new Registry([work]), noSteps, maxLosses, log)
}

test('many nodes that recover one lost worker at once hand each of its runs on once', async () => {
  const databaseUrl = await testDatabase()
  const nodes = Array.from({ length: 4 }, () => openDatabase(databaseUrl))
  const work = action('work', { run: never })
  const runs = Array.from({ length: 600 }, (_, i) => newRun({ status: 'RUNNING', workerId: `lost ${i % 3}` }))
  await submitLost(nodes[0]!, runs)
  const recovered = (await Promise.all(nodes.map((db) => recover(db, work)))).flat()
  expect(recovered).toHaveLength(600)
  expect(new Set(recovered.map(({ id }) => id)).size).toBe(600)
  const db = nodes[0]!
  const counts = await db.reads`
    select r.status::text, r.last_seq, r.losses,
      (select count(*)::int from action_do.events e where e.root_id = r.id and e.reason = 'WORKER_LOST') as lost,
      (select count(*)::int from action_do.attempts a where a.run_id = r.id and a.status = 'LOST') as attempts,
      count(*)::int as runs
    from action_do.runs r group by 1, 2, 3, 4, 5`
  expect(counts).toEqual([{ status: 'QUEUED', last_seq: 2, losses: 1, lost: 1, attempts: 1, runs: 600 }])
})

test('a worker whose lease holds keeps its runs', async () => {
  const db = openDatabase(await testDatabase())
  await registerWorker(db, 'alive', 60_000)
  const run = newRun({ status: 'RUNNING', workerId: 'alive' })
  await submitRuns(db, [run])
  expect(await recover(db, action('work', { run: never }))).toEqual([])
  db.clock.offsetMs = 61_000
  expect(await recover(db, action('work', { run: never }))).toMatchObject([{ id: run.id }])
})

test('a run whose attempts are cut by crashes too often fails, and none of them counts as a failure', async () => {
  const db = openDatabase(await testDatabase())
  const work = action('work', { retry: { maxAttempts: 1 }, run: never })
  const run = newRun()
  await submitRuns(db, [run])
  for (let crash = 1; crash <= 5; crash++) {
    await registerWorker(db, `w${crash}`, 60_000)
    const claimed = await claimRuns(db, {
      workerId: `w${crash}`,
      total: 1,
      names: [{ name: 'work', effect: 'idempotent', slots: 1 }],
    })
    expect(claimed).toMatchObject([{ attempt: crash, losses: crash - 1 }])
    await expireLease(db, `w${crash}`)
    expect(await recover(db, work)).toHaveLength(1)
  }
  const { run: then, events, attempts } = (await recordOf(db, run.id)) as Recorded
  expect(then).toMatchObject({ status: 'FAILED', losses: 5, failures: 0, error: { code: 'WORKER_LOST' } })
  expect(events.at(-1)).toMatchObject({ reason: 'LOST_TOO_OFTEN' })
  expect(attempts.map(({ status }) => status)).toEqual(['LOST', 'LOST', 'LOST', 'LOST', 'LOST'])
})

test.each([
  ['without a probe waits for an operator', undefined, 1, 'INDETERMINATE', 'OUTCOME_UNKNOWN', false],
  ['with a probe has it asked', async () => ({ outcome: 'unknown' as const }), 1, 'QUEUED', 'PROBE_NEEDED', true],
  [
    'whose probe may be what kills',
    async () => ({ outcome: 'unknown' as const }),
    5,
    'INDETERMINATE',
    'OUTCOME_UNKNOWN',
    false,
  ],
])('a lost run of an unsafe action %s', async (_, probe, losses, status, reason, asks) => {
  const db = openDatabase(await testDatabase())
  const work = action('work', { effect: 'unsafe', run: never, ...(probe && { probe }) })
  const run = newRun({ status: 'RUNNING', workerId: 'lost', effect: 'unsafe' })
  await submitLost(db, [run])
  await db.reads`update action_do.runs set losses = ${losses - 1}`
  await recover(db, work)
  const { run: then, events, attempts } = (await recordOf(db, run.id)) as Recorded
  expect(then).toMatchObject({ status, probe: asks })
  expect(events.at(-1)).toMatchObject({ reason })
  expect(attempts).toMatchObject([{ status: 'LOST' }])
})

test('a node executes what a lost worker left, though its policy allows one attempt only', async () => {
  const work = action('work', { retry: { maxAttempts: 1 }, run: ({ attempt }) => ({ attempt }) })
  const server = await startTestServer([work])
  const run = newRun({ status: 'RUNNING', workerId: 'lost' })
  await submitLost(server.executor.db, [run])
  server.executor.lookAtEverything()
  const id = showRunId(run.id)
  await happened(server, id, 'COMPLETED')
  expect(await settled(server, id)).toMatchObject({
    status: 'SUCCEEDED',
    result: { attempt: 2 },
    attempts: [{ status: 'LOST', error: { code: 'WORKER_LOST' } }, { status: 'SUCCEEDED' }],
  })
})
