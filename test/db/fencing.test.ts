import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { RunError } from '../../src/core/failure.ts'
import type { Database } from '../../src/db/client.ts'
import { registerWorker } from '../../src/db/leases.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import { type AttemptEnd, endAttemptIn, endAttempts } from '../../src/db/transitions/end-attempts.ts'
import { enqueueDueRuns } from '../../src/db/transitions/enqueue-due-runs.ts'
import { recordHeartbeats } from '../../src/db/transitions/record-heartbeats.ts'
import { type NewRun, submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { Executor } from '../../src/executor/executor.ts'
import { DEFAULT_EXECUTOR_OPTIONS } from '../../src/executor/options.ts'
import { Registry } from '../../src/executor/registry.ts'
import { cancelStep } from '../../src/executor/workflow/cancel-tree.ts'
import { testDatabase } from '../support/database.ts'
import { anEnd, newRun, openDatabase, recordOf, submitHeld } from './support.ts'

const error: RunError = { code: 'NO', message: 'no', retryable: true }

/** Every write that a worker makes to a run that it holds; each answers with how many runs it changed. */
const writes: [string, (db: Database, end: AttemptEnd) => Promise<number>][] = [
  ['endAttempts', async (db, end) => (await endAttempts(db, [end])).filter(Boolean).length],
  ['endAttemptIn', (db, end) => db.user.transaction(async (tx) => ((await endAttemptIn(tx, end, new Date())) ? 1 : 0))],
  [
    'recordHeartbeats',
    async (db, { bucket, id, fence }) => (await recordHeartbeats(db, [{ bucket, id, fence, progress: 'far' }])).length,
  ],
]

const over = (to: AttemptEnd['to'], overrides: Partial<AttemptEnd>) => (db: Database, run: NewRun) =>
  endAttempts(db, [anEnd(run, { to, result: null, error, attemptStatus: 'FAILED', ...overrides })])

/** How a run leaves the hands of the worker `mine`, which submitted it with fence 1; and where it then is. */
const handovers: [string, string, (db: Database, run: NewRun) => Promise<unknown>][] = [
  ['it succeeded', 'SUCCEEDED', (db, run) => endAttempts(db, [anEnd(run)])],
  ['it failed', 'FAILED', over('FAILED', { reason: 'PERMANENT_FAILURE' })],
  ['its outcome is unknown', 'INDETERMINATE', over('INDETERMINATE', { reason: 'OUTCOME_UNKNOWN' })],
  ['it waits for a retry', 'SCHEDULED', over('SCHEDULED', { reason: 'RETRY_SCHEDULED', delayMs: 60_000 })],
  ['it was handed on', 'QUEUED', over('QUEUED', { reason: 'WORKER_LOST', attemptStatus: 'LOST', delayMs: 0 })],
  [
    'another worker has it',
    'RUNNING',
    async (db, run) => {
      await over('QUEUED', { reason: 'WORKER_LOST', attemptStatus: 'LOST', delayMs: 0 })(db, run)
      await registerWorker(db, 'other', 60_000)
      await claimRuns(db, { workerId: 'other', total: 1, names: [{ name: 'work', effect: 'idempotent', slots: 1 }] })
    },
  ],
  [
    'the same worker has it again',
    'RUNNING',
    async (db, run) => {
      await over('SCHEDULED', { reason: 'RETRY_SCHEDULED', delayMs: 0 })(db, run)
      await enqueueDueRuns(db)
      await claimRuns(db, { workerId: 'mine', total: 1, names: [{ name: 'work', effect: 'idempotent', slots: 1 }] })
    },
  ],
  ['it was canceled', 'CANCELED', (db, { id }) => cancelInTree(db, id)],
]

/** As the command does it, under the lock of the run's tree. */
async function cancelInTree(db: Database, id: string): Promise<unknown> {
  const { workflows } = new Executor(db, new Registry([]), DEFAULT_EXECUTOR_OPTIONS, pino({ level: 'silent' }))
  return workflows.commits.apply({
    rootId: id,
    rows: () => [id],
    apply: (advance) => cancelStep(advance, advance.tree.get(id), 'CANCEL_REQUESTED', { error, actor: 'operator' }),
  })
}

for (const [name, write] of writes) {
  test.each(handovers)(`${name} with a stale fence changes nothing: %s`, async (_, status, handOver) => {
    const db = openDatabase(await testDatabase())
    const run = newRun({ status: 'RUNNING', workerId: 'mine' })
    await submitHeld(db, [run])
    await handOver(db, run)
    const before = await recordOf(db, run.id)
    expect(before).toMatchObject({ run: { status } })
    for (const fence of [0, 1]) expect(await write(db, anEnd(run, { fence }))).toBe(0)
    expect(await recordOf(db, run.id)).toEqual(before)
  })

  test(`${name} with the run's own fence changes it, with any other it does not`, async () => {
    const db = openDatabase(await testDatabase())
    const run = newRun({ status: 'RUNNING', workerId: 'mine' })
    await submitHeld(db, [run])
    const before = await recordOf(db, run.id)
    for (const fence of [-1, 0, 2, 2_147_483_647]) expect(await write(db, anEnd(run, { fence }))).toBe(0)
    expect(await recordOf(db, run.id)).toEqual(before)
    expect(await write(db, anEnd(run))).toBe(1)
    expect(await recordOf(db, run.id)).not.toEqual(before)
  })
}

test('a stale end in a batch leaves its neighbours alone', async () => {
  const db = openDatabase(await testDatabase())
  const runs = Array.from({ length: 20 }, () => newRun({ status: 'RUNNING', workerId: 'mine' }))
  await submitHeld(db, runs)
  const ended = await endAttempts(
    db,
    runs.map((run, i) => anEnd(run, { fence: i % 2 ? 1 : 7 })),
  )
  expect(ended.map((row) => row?.id)).toEqual(runs.map(({ id }, i) => (i % 2 ? id : undefined)))
})

test('who ends an attempt is told the number of its event, also where it is another than was expected', async () => {
  const db = openDatabase(await testDatabase())
  const runs = Array.from({ length: 3 }, () => newRun({ status: 'RUNNING', workerId: 'mine' }))
  await submitHeld(db, runs)
  await db.reads`update action_do.runs set last_seq = 7 where id in ${db.reads(runs.slice(1).map(({ id }) => id))}`
  const [first, second, inTransaction] = runs.map((run) => anEnd(run))
  const ended = await endAttempts(db, [first!, second!])
  expect(ended).toMatchObject([
    { id: first!.id, lastSeq: 2 },
    { id: second!.id, lastSeq: 8 },
  ])
  expect(ended[1]?.at).toEqual(ended[0]?.at)
  const at = new Date()
  const row = await db.user.transaction((tx) => endAttemptIn(tx, inTransaction!, at))
  expect(row).toEqual({ id: inTransaction!.id, lastSeq: 8, at })
})

test('who submits runs is told which are new, and which queue because their worker has no lease', async () => {
  const db = openDatabase(await testDatabase())
  await registerWorker(db, 'awake', 60_000)
  const [old, queued, running, asleep] = [
    newRun(),
    newRun(),
    newRun({ status: 'RUNNING', workerId: 'awake' }),
    newRun({ status: 'RUNNING', workerId: 'asleep' }),
  ]
  const [made] = await submitRuns(db, [old])
  expect(made).toEqual({ status: 'QUEUED', at: expect.any(Date) })
  expect(await submitRuns(db, [old])).toEqual([undefined])
  const [again, ...fresh] = await submitRuns(db, [old, queued, running, asleep])
  expect(again).toBeUndefined()
  expect(fresh.map((row) => row?.status)).toEqual(['QUEUED', 'RUNNING', 'QUEUED'])
  const stored = await db.reads`select created_at as at from action_do.runs where id = ${running.id}`
  expect(fresh.map((row) => row?.at)).toEqual(fresh.map(() => stored[0]?.at))
})

test('two ends of one attempt at the same time: one of them stands', async () => {
  const db = openDatabase(await testDatabase())
  for (let round = 0; round < 20; round++) {
    const run = newRun({ status: 'RUNNING', workerId: 'mine' })
    await submitHeld(db, [run])
    const answers = await Promise.all([
      endAttempts(db, [anEnd(run)]),
      over('FAILED', { reason: 'PERMANENT_FAILURE' })(db, run),
      over('QUEUED', { reason: 'WORKER_LOST', attemptStatus: 'LOST', delayMs: 0 })(db, run),
    ])
    expect(answers.flat().filter(Boolean)).toHaveLength(1)
    const { events, attempts } = (await recordOf(db, run.id)) as { events: unknown[]; attempts: unknown[] }
    expect(events).toHaveLength(2)
    expect(attempts).toHaveLength(1)
  }
})

test('a worker without a lease is given nothing: what it submits queues, and it claims nothing', async () => {
  const db = openDatabase(await testDatabase())
  const run = newRun({ status: 'RUNNING', workerId: 'asleep' })
  const names = [{ name: 'work', effect: 'idempotent' as const, slots: 1 }]
  expect(await submitRuns(db, [run])).toMatchObject([{ status: 'QUEUED' }])
  expect(await claimRuns(db, { workerId: 'asleep', total: 1, names })).toEqual([])
  await registerWorker(db, 'awake', 60_000)
  expect(await claimRuns(db, { workerId: 'awake', total: 1, names })).toMatchObject([{ id: run.id, attempt: 1 }])
})

test('a claimed run has the effect class of the definition that executes it', async () => {
  const db = openDatabase(await testDatabase())
  await submitRuns(db, [newRun()])
  await registerWorker(db, 'newer', 60_000)
  const names = [{ name: 'work', effect: 'unsafe' as const, slots: 1 }]
  expect(await claimRuns(db, { workerId: 'newer', total: 1, names })).toMatchObject([{ effect: 'unsafe' }])
})

test('claims of several workers at once never take the same run', async () => {
  const databaseUrl = await testDatabase()
  const nodes = Array.from({ length: 4 }, () => openDatabase(databaseUrl))
  const runs = Array.from({ length: 200 }, () => newRun())
  await submitRuns(nodes[0]!, runs)
  const claimAll = async (db: Database, workerId: string) => {
    await registerWorker(db, workerId, 60_000)
    const mine: string[] = []
    for (;;) {
      const claimed = await claimRuns(db, {
        workerId,
        total: 7,
        names: [{ name: 'work', effect: 'idempotent', slots: 7 }],
      })
      if (claimed.length === 0) return mine
      mine.push(...claimed.map(({ id }) => id))
    }
  }
  const claimed = (await Promise.all(nodes.map((db, i) => claimAll(db, `worker ${i}`)))).flat()
  expect(claimed).toHaveLength(200)
  expect(new Set(claimed)).toEqual(new Set(runs.map(({ id }) => id)))
})
