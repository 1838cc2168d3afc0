import { expect, test } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { registerWorker } from '../../src/db/leases.ts'
import { rootsChangedSince } from '../../src/db/reads/events.ts'
import { forgetChanges, RECENT_MS } from '../../src/db/recent-changes.ts'
import type { EventRow } from '../../src/db/rows.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import type { AttemptEnd } from '../../src/db/transitions/end-attempts.ts'
import { endAttempts } from '../../src/db/transitions/end-attempts.ts'
import { enqueueDueRuns } from '../../src/db/transitions/enqueue-due-runs.ts'
import { type NewRun, submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { testDatabase } from '../support/database.ts'
import { anEnd, eventsReadInEveryWay, newRun, openDatabase } from './support.ts'

const names = [{ name: 'work', effect: 'idempotent' as const, slots: 10 }]

async function workerDatabase(): Promise<Database> {
  const db = openDatabase(await testDatabase())
  await registerWorker(db, 'w', 600_000)
  return db
}

const running = () => newRun({ status: 'RUNNING', workerId: 'w', actor: 'ann' })
const queued = () => newRun({ actor: 'ann' })
const later = (run: NewRun, overrides: Partial<AttemptEnd> = {}) =>
  anEnd(run, {
    to: 'SCHEDULED',
    reason: 'RETRY_SCHEDULED',
    attemptStatus: 'FAILED',
    result: null,
    error: { code: 'BUSY', message: 'busy', retryable: true },
    delayMs: 0,
    failures: 1,
    ...overrides,
  })

const claim = (db: Database) => claimRuns(db, { workerId: 'w', total: 10, names })
const shown = (events: readonly Pick<EventRow, 'seq' | 'fromStatus' | 'toStatus' | 'reason' | 'attempt' | 'actor'>[]) =>
  events.map((e) => [e.seq, e.fromStatus, e.toStatus, e.reason, e.attempt, e.actor])

async function written(db: Database, { id }: NewRun): Promise<number[]> {
  const rows = await db.reads<{ seq: number }[]>`
    select seq from action_do.written_events where root_id = ${id} order by seq`
  return rows.map(({ seq }) => seq)
}

/** The events of a run, which every way of reading them must show alike, from any place on and in pages of any size. */
async function eventsOf(db: Database, { id }: NewRun): Promise<EventRow[]> {
  return eventsReadInEveryWay(db, id)
}

test('an action that begins and ends well has no row for its events: its run tells them', async () => {
  const db = await workerDatabase()
  const run = running()
  await submitRuns(db, [run])
  expect(shown(await eventsOf(db, run))).toEqual([[1, null, 'RUNNING', 'STARTED', 1, 'ann']])
  await endAttempts(db, [anEnd(run)])
  expect(shown(await eventsOf(db, run))).toEqual([
    [1, null, 'RUNNING', 'STARTED', 1, 'ann'],
    [2, 'RUNNING', 'SUCCEEDED', 'COMPLETED', 1, null],
  ])
  expect(await written(db, run)).toEqual([])
})

test('nor has one that queues before', async () => {
  const db = await workerDatabase()
  const run = queued()
  await submitRuns(db, [run])
  expect(shown(await eventsOf(db, run))).toEqual([[1, null, 'QUEUED', 'SUBMITTED', null, 'ann']])
  await claim(db)
  await endAttempts(db, [anEnd(run)])
  const events = await eventsOf(db, run)
  expect(shown(events)).toEqual([
    [1, null, 'QUEUED', 'SUBMITTED', null, 'ann'],
    [2, 'QUEUED', 'RUNNING', 'STARTED', 1, null],
    [3, 'RUNNING', 'SUCCEEDED', 'COMPLETED', 1, null],
  ])
  const times = events.map(({ at }) => at.getTime())
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(await written(db, run)).toEqual([])
})

test.each([
  ['begins at once', running, [2, 3, 4]],
  ['queues before', queued, [3, 4, 5]],
] as const)('what happens between is written, for one that %s', async (_, newOne, rows) => {
  const db = await workerDatabase()
  const run = newOne()
  await submitRuns(db, [run])
  await claim(db)
  await endAttempts(db, [later(run)])
  await enqueueDueRuns(db)
  await claim(db)
  await endAttempts(db, [anEnd(run, { fence: 2 })])
  const events = await eventsOf(db, run)
  expect(shown(events).slice(-4)).toEqual([
    [rows[0], 'RUNNING', 'SCHEDULED', 'RETRY_SCHEDULED', 1, null],
    [rows[1], 'SCHEDULED', 'QUEUED', 'DUE', null, null],
    [rows[2], 'QUEUED', 'RUNNING', 'STARTED', 2, null],
    [rows[2] + 1, 'RUNNING', 'SUCCEEDED', 'COMPLETED', 2, null],
  ])
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
  expect(await written(db, run)).toEqual(rows)
})

test.each([
  [
    'fails',
    {
      to: 'FAILED',
      reason: 'PERMANENT_FAILURE',
      attemptStatus: 'FAILED',
      result: null,
      error: { code: 'NO', message: 'no', retryable: false },
    },
  ],
  ['is found to have succeeded', { reason: 'PROBE_CONFIRMED' }],
  ['is given back', { to: 'QUEUED', reason: 'WORKER_STOPPED', attemptStatus: 'CANCELED', result: null, delayMs: 0 }],
] as const)('the end of one that %s is written, beside others that are told', async (_, end) => {
  const db = await workerDatabase()
  const [run, other] = [running(), running()]
  await submitRuns(db, [run, other])
  await endAttempts(db, [anEnd(run, end), anEnd(other)])
  const [, last] = await eventsOf(db, run)
  expect(last).toMatchObject({ seq: 2, reason: end.reason, error: 'error' in end ? end.error : null })
  expect(await written(db, run)).toEqual([2])
  expect(await eventsOf(db, other)).toHaveLength(2)
  expect(await written(db, other)).toEqual([])
})

test('a delayed run has its first event as a row, which says for when', async () => {
  const db = await workerDatabase()
  const runAt = new Date(Date.now() - 1_000)
  const run = newRun({ status: 'SCHEDULED', runAt, actor: 'ann' })
  const now = queued()
  await submitRuns(db, [run, now])
  expect(await eventsOf(db, run)).toMatchObject([
    { seq: 1, toStatus: 'SCHEDULED', reason: 'DELAYED', actor: 'ann', data: { availableAt: expect.any(String) } },
  ])
  await enqueueDueRuns(db)
  await claim(db)
  await endAttempts(db, [anEnd(run)])
  expect((await eventsOf(db, run)).map(({ reason }) => reason)).toEqual(['DELAYED', 'DUE', 'STARTED', 'COMPLETED'])
  expect(await written(db, run)).toEqual([1, 2, 3])
  expect(await written(db, now)).toEqual([])
})

test('who asks for what has changed lately is told of events that are no rows', async () => {
  const db = await workerDatabase()
  const [began, ended, waits] = [running(), running(), queued()]
  const before = new Date(Date.now() - 1_000)
  await submitRuns(db, [began, ended, waits])
  await endAttempts(db, [anEnd(ended)])
  const expected = new Map([
    [began.id, 1],
    [ended.id, 2],
    [waits.id, 1],
  ])
  const changed = async (since: Date) =>
    new Map((await rootsChangedSince(db, since)).map(({ rootId, seq }) => [rootId, seq]))
  expect(await changed(before)).toEqual(expected)
  await claim(db)
  expected.set(waits.id, 2)
  expect(await changed(before)).toEqual(expected)
  expect(await changed(new Date(Date.now() + 1_000))).toEqual(new Map())

  // what is no longer recent is forgotten
  await forgetChanges(db)
  expect(await changed(before)).toEqual(expected)
  await db.reads`update action_do.recent_changes set at = at - make_interval(secs => ${(2 * RECENT_MS) / 1_000}::float8)`
  await forgetChanges(db)
  expect(await db.reads`select * from action_do.recent_changes`).toEqual([])
})
