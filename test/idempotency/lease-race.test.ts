import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { bucketOf, newRunId } from '../../src/core/ids.ts'
import { decide } from '../../src/core/outcome.ts'
import { DEFAULT_RETRY } from '../../src/core/retry.ts'
import { connect, type Database } from '../../src/db/client.ts'
import { expireLease, forgetWorker, registerWorker, renewLease } from '../../src/db/leases.ts'
import type { RunRow } from '../../src/db/rows.ts'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { AttemptEnds } from '../../src/executor/persist.ts'
import { recoverLostRuns } from '../../src/executor/recover-lost-runs.ts'
import { Registry } from '../../src/executor/registry.ts'
import { action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { noSteps } from '../support/steps.ts'

const TRIALS = 1_000
const AT_ONCE = 8
/** Leases end, and attempts commit, at a random moment of this many milliseconds. */
const SPAN_MS = 20
const DECISION = decide(
  { kind: 'returned', result: '{"by":"owner"}' },
  {
    effect: 'idempotent',
    hasProbe: false,
    retry: DEFAULT_RETRY,
    failures: 0,
    losses: 0,
    maxLosses: 5,
    probing: false,
    waiting: false,
    nowMs: 0,
    budgetStartedMs: 0,
    random: 0,
  },
)

function open(databaseUrl: string): Database {
  const db = connect(databaseUrl)
  onTestFinished(() => db.close(1))
  return db
}

test('24: the lease expires at the instant of the commit, 1,000 random timings: one outcome each', async () => {
  const databaseUrl = await testDatabase()
  const owner = open(databaseUrl)
  const log = pino({ level: 'silent' })
  const registry = new Registry([action('charge', { run: () => null })])
  const ends = new AttemptEnds(owner, noSteps, log)

  // two nodes recover what they find expired, over and over
  let over = false
  const recovering = [open(databaseUrl), open(databaseUrl)].map(async (db) => {
    const recovered: string[] = []
    while (!over) for (const { id } of await recoverLostRuns(db, registry, noSteps, 5, log)) recovered.push(id)
    return recovered
  })

  const committed: string[] = []
  const superseded: string[] = []
  // on a busy machine one side would nearly always come first: the more it leads, the longer it waits
  const headStartMs = (lead: number) => Math.max(0, lead) / AT_ONCE
  const trial = async () => {
    const lead = committed.length - superseded.length
    const run = await startRun(owner, 1 + headStartMs(-lead) + Math.random() * SPAN_MS)
    await sleep(headStartMs(lead) + Math.random() * SPAN_MS)
    const held = { ...run, fence: 1, lastSeq: 1, parentId: null } as unknown as RunRow
    const { kind } = await ends.write(held, DECISION, new AbortController().signal, () => {})
    ;(kind === 'ended' ? committed : superseded).push(run.id)
    // the recovery has no more to look at than the workers of the trials under way
    await expireLease(owner, run.workerId)
    await forgetWorker(owner, run.workerId)
  }
  let begun = 0
  const lane = async () => {
    while (begun++ < TRIALS) await trial()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  over = true
  const recovered = (await Promise.all(recovering)).flat()

  // whom the database told that it had won is the same as what the database holds
  expect(recovered.sort()).toEqual(superseded.sort())
  expect(committed.length + superseded.length).toBe(TRIALS)
  const won = 'SUCCEEDED fence 1 | 1 SUCCEEDED | 1 STARTED, 2 COMPLETED'
  const lost = 'QUEUED fence 1 | 1 LOST | 1 STARTED, 2 WORKER_LOST'
  const histories = await historiesOf(owner)
  expect(committed.filter((id) => histories.get(id) !== won)).toEqual([])
  expect(superseded.filter((id) => histories.get(id) !== lost)).toEqual([])
  expect(histories.size).toBe(TRIALS)
  // it was a race: each side won many times
  expect(Math.min(committed.length, superseded.length)).toBeGreaterThan(TRIALS / 20)
})

/** A run under way, held by a worker of its own whose lease ends soon. */
async function startRun(db: Database, leaseMs: number): Promise<{ bucket: number; id: string; workerId: string }> {
  const id = newRunId()
  const bucket = bucketOf(id)
  const workerId = `worker of ${id}`
  await registerWorker(db, workerId, 60_000)
  const row = {
    bucket,
    id,
    kind: 'ACTION',
    name: 'charge',
    version: '1',
    effect: 'idempotent',
    idempotencyKey: null,
    fingerprint: '00',
    params: {},
    status: 'RUNNING',
    priority: 0,
    workerId,
    runAt: null,
    actor: null,
  } as const
  await submitRuns(db, [row])
  await renewLease(db, workerId, leaseMs)
  return { bucket, id, workerId }
}

/** Each run in one line: its state, its attempts, its events. */
async function historiesOf({ reads }: Database): Promise<Map<string, string>> {
  const rows = await reads<{ id: string; history: string }[]>`
    select r.id, concat_ws(' | ', r.status || ' fence ' || r.fence,
      (select string_agg(a.number || ' ' || a.status, ', ' order by a.number) from action_do.attempts a where a.run_id = r.id),
      (select string_agg(e.seq || ' ' || e.reason, ', ' order by e.seq) from action_do.events e where e.run_id = r.id)
    ) as history
    from action_do.runs r`
  return new Map(rows.map(({ id, history }) => [id, history]))
}
