/**
 * What a claim takes when the tables are full: `npm run bench:claims`. A worker claims one run and ends it, again and again, with
 * empty tables, and then with a million finished runs and 100,000 that wait, of its own action and of others.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bucketOf, newRunId } from '../src/core/ids.ts'
import { connect, type Database } from '../src/db/client.ts'
import { registerWorker } from '../src/db/leases.ts'
import { migrate } from '../src/db/migrate.ts'
import { claimRuns } from '../src/db/transitions/claim-runs.ts'
import { endAttempts } from '../src/db/transitions/end-attempts.ts'
import { type NewRun, submitRuns } from '../src/db/transitions/submit-runs.ts'
import { openCluster } from './cluster.ts'
import { median } from './measure.ts'
import { PARAMS } from './noop.ts'

const quick = process.argv.includes('--quick')
const [FINISHED, WAITING, CLAIMS, ROUNDS] = quick ? [100_000, 10_000, 300, 3] : [1_000_000, 100_000, 1_000, 3]
const WORKER = 'bench'

const folder = await mkdtemp(join(tmpdir(), 'action-do-claims-'))
const cluster = await openCluster(folder)
const [empty, full] = [await databaseOf('empty'), await databaseOf('full')]
console.log(`filling: ${FINISHED} finished runs, ${WAITING} that wait`)
await fill(full)
const claims = { empty: [] as number[], full: [] as number[] }
for (let i = -1; i < ROUNDS; i++)
  for (const [name, db] of [['empty', empty] as const, ['full', full] as const]) {
    const p95 = await claim95(db)
    // the first is the warm-up
    if (i >= 0) claims[name].push(p95)
  }
const ratio = median(claims.full.map((p95, i) => p95 / (claims.empty[i] ?? Number.NaN)))
console.log(`p95 of a claim, of ${CLAIMS}: empty ${shown(claims.empty)} ms, full ${shown(claims.full)} ms`)
console.log(`  → full ÷ empty: wanted ≤ 1.5, got ${ratio.toFixed(2)}`)
await Promise.all([empty.close(1), full.close(1)])
await cluster.stop()
await rm(folder, { recursive: true, force: true })

async function databaseOf(name: string): Promise<Database> {
  const url = await cluster.createDatabase(`claims_${name}`)
  await migrate(url)
  const db = connect(url, { hot: 1, reads: 1, user: 1 })
  await registerWorker(db, WORKER, 3_600_000)
  return db
}

/** Finished and waiting runs with their events and attempts, and no word to the planner of how many there are. */
async function fill({ reads }: Database): Promise<void> {
  await reads.unsafe('set statement_timeout = 0')
  await reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation,
      attempt, failures, losses, probe, fence, available_at, last_seq, created_at, finished_at)
    select ('x' || right(id::text, 3))::bit(12)::int & 1023, id, 'ACTION', case when n % 2 = 0 then 'noop' else 'other' end, '1',
      'idempotent', id, '', ${JSON.stringify(PARAMS)}::text::json,
      case when n <= ${WAITING}::int then 'QUEUED' else 'SUCCEEDED' end::action_do.run_status,
      0, 1, 1, 0, 0, false, 1, case when n <= ${WAITING}::int then now() end, 2, now() - interval '1 hour',
      case when n > ${WAITING}::int then now() end
    from generate_series(1, ${FINISHED + WAITING}::int) n cross join lateral (select gen_random_uuid() as id where n > 0) i`
  await reads`
    insert into action_do.events (bucket, root_id, seq, run_id, at, to_status, reason)
    select bucket, id, seq, id, created_at, 'RUNNING', 'STARTED' from action_do.runs cross join generate_series(1, 2) seq`
  await reads`
    insert into action_do.attempts (bucket, run_id, number, status, worker_id, started_at, finished_at)
    select bucket, id, 1, 'SUCCEEDED', 'gone', created_at, finished_at from action_do.runs where finished_at is not null`
}

/** Submits a run that goes before all others, claims it, and ends it. */
async function claim95(db: Database): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < CLAIMS; i++) {
    await submitRuns(db, [urgent()])
    const begin = performance.now()
    const [run] = await claimRuns(db, {
      workerId: WORKER,
      total: 1,
      names: [{ name: 'noop', effect: 'idempotent', slots: 1 }],
    })
    times.push(performance.now() - begin)
    const { bucket, id, fence } = run!
    const end = {
      to: 'SUCCEEDED',
      reason: 'COMPLETED',
      attemptStatus: 'SUCCEEDED',
      result: 'null',
      error: null,
    } as const
    await endAttempts(db, [{ ...end, bucket, id, fence, delayMs: null, failures: 0, losses: 0, probe: false }])
  }
  return times.sort((a, b) => a - b)[Math.floor((times.length - 1) * 0.95)] ?? Number.NaN
}

function urgent(): NewRun {
  const id = newRunId()
  return {
    bucket: bucketOf(id),
    id,
    kind: 'ACTION',
    name: 'noop',
    version: '1',
    effect: 'idempotent',
    idempotencyKey: null,
    fingerprint: '00',
    params: PARAMS,
    status: 'QUEUED',
    priority: 1,
    workerId: null,
    runAt: null,
    actor: 'bench',
  }
}

function shown(all: readonly number[]): string {
  return `${median(all).toFixed(2)} (${all.map((one) => one.toFixed(2)).join(', ')})`
}
