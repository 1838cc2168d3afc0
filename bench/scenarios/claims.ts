import { bucketOf, newRunId } from '../../src/core/ids.ts'
import type { Decision } from '../../src/core/outcome.ts'
import { connect, type Database, MIN_CONNECTIONS } from '../../src/db/client.ts'
import { registerWorker } from '../../src/db/leases.ts'
import { migrate } from '../../src/db/migrate.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import { endAttempts, endOf } from '../../src/db/transitions/end-attempts.ts'
import { type NewRun, submitRuns } from '../../src/db/transitions/submit-runs.ts'
import type { Cluster } from '../cluster.ts'
import { PARAMS } from '../noop.ts'
import type { Bench, Case, Scenario } from '../scenario.ts'

const WORKER = 'bench'

/** How each run ends. */
const DONE: Decision = {
  to: 'SUCCEEDED',
  reason: 'COMPLETED',
  attemptStatus: 'SUCCEEDED',
  result: 'null',
  error: null,
  delayMs: null,
  failures: 0,
  losses: 0,
  probe: false,
}

export const claims: Scenario = {
  name: 'claims',
  title: 'A claim among many runs',
  about:
    'A worker claims one run and ends it, again and again: with empty tables, and among finished runs and runs that wait, of its own action and of others. The planner knows of none of them.',
  contenders: ['product'],
  own: { product: 'action.do' },
  metrics: [
    { key: 'ratio', label: 'full ÷ empty', digits: 2 },
    { key: 'emptyMs', label: 'p95 ms, empty', digits: 2 },
    { key: 'fullMs', label: 'p95 ms, full', digits: 2 },
  ],
  targets: [{ what: 'p95 of a claim with full tables, to that with empty ones', metric: 'ratio', atMost: 1.5 }],
  cases: (bench) => [claimsOf(bench)],
}

function claimsOf({ quick, cluster }: Bench): Case {
  const [finished, waiting, count] = quick ? [100_000, 10_000, 300] : [1_000_000, 100_000, 1_000]
  let empty: Database
  let full: Database
  return {
    label: `${finished.toLocaleString('en')} finished, ${waiting.toLocaleString('en')} that wait`,
    async warmUp() {
      empty = await databaseOf(cluster, 'empty')
      full = await databaseOf(cluster, 'full')
      await fill(full, finished, waiting)
      for (const db of [empty, full]) await claim95(db, count)
    },
    async measure() {
      const emptyMs = await claim95(empty, count)
      const fullMs = await claim95(full, count)
      return { emptyMs, fullMs, ratio: fullMs / emptyMs }
    },
    close: async () => void (await Promise.all([empty?.close(1), full?.close(1)])),
  }
}

async function databaseOf(cluster: Cluster, name: string): Promise<Database> {
  const url = await cluster.createDatabase(`claims_${name}`)
  await migrate(url)
  const db = connect(url, MIN_CONNECTIONS)
  await registerWorker(db, WORKER, 3_600_000)
  return db
}

/** Finished and waiting runs with their events, and no word to the planner of how many there are. */
async function fill({ reads }: Database, finished: number, waiting: number): Promise<void> {
  await reads.unsafe('set statement_timeout = 0')
  await reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation,
      attempt, failures, losses, probe, fence, available_at, last_seq, created_at, finished_at, succeeded_by)
    select ('x' || right(id::text, 3))::bit(12)::int & 1023, id, 'ACTION', case when n % 2 = 0 then 'noop' else 'other' end, '1',
      'idempotent', id, '', ${JSON.stringify(PARAMS)}::text::json,
      case when n <= ${waiting}::int then 'QUEUED' else 'SUCCEEDED' end::action_do.run_status,
      0, 1, 1, 0, 0, false, 1, case when n <= ${waiting}::int then now() end, 2, now() - interval '1 hour',
      case when n > ${waiting}::int then now() end, case when n > ${waiting}::int then 'gone' end
    from generate_series(1, ${finished + waiting}::int) n cross join lateral (select gen_random_uuid() as id where n > 0) i`
  await reads`
    insert into action_do.written_events (bucket, root_id, seq, run_id, at, to_status, reason)
    select bucket, id, seq, id, created_at, 'RUNNING', 'STARTED' from action_do.runs cross join generate_series(1, 2) seq`
}

/** Submits a run that goes before all others, claims it, and ends it, `count` times: the p95 of the claims, in milliseconds. */
async function claim95(db: Database, count: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    await submitRuns(db, [urgent()])
    const begin = performance.now()
    const [run] = await claimRuns(db, {
      workerId: WORKER,
      total: 1,
      names: [{ name: 'noop', effect: 'idempotent', slots: 1 }],
    })
    times.push(performance.now() - begin)
    await endAttempts(db, [endOf(run!, DONE)])
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
