import { randomUUID } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { bucketOf } from '../../src/core/ids.ts'
import { connect, type Database } from '../../src/db/client.ts'
import { expireLease, registerWorker } from '../../src/db/leases.ts'
import { attemptsOf } from '../../src/db/reads/attempts.ts'
import { eventPages, streamPages } from '../../src/db/reads/events.ts'
import type { EventRow } from '../../src/db/rows.ts'
import type { AttemptEnd } from '../../src/db/transitions/end-attempts.ts'
import { type NewRun, submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { oneTo } from '../support/event-streams.ts'

/** The connections of a node of its own. */
export function openDatabase(databaseUrl: string): Database {
  const db = connect(databaseUrl)
  onTestFinished(() => db.close(1))
  return db
}

/** A run to submit: QUEUED, unless it says otherwise. */
export function newRun(overrides: Partial<NewRun> = {}): NewRun {
  const id = overrides.id ?? randomUUID()
  return {
    bucket: bucketOf(id),
    id,
    kind: 'ACTION',
    name: 'work',
    version: '1',
    effect: 'idempotent',
    idempotencyKey: null,
    fingerprint: '00',
    params: {},
    status: 'QUEUED',
    priority: 0,
    workerId: null,
    runAt: null,
    actor: null,
    ...overrides,
  }
}

/** Submits runs that workers of their names hold, under a lease. */
export async function submitHeld(db: Database, runs: readonly NewRun[]): Promise<void> {
  for (const workerId of workersOf(runs)) await registerWorker(db, workerId, 60_000)
  await submitRuns(db, runs)
}

/** The same, and the workers are lost. */
export async function submitLost(db: Database, runs: readonly NewRun[]): Promise<void> {
  await submitHeld(db, runs)
  for (const workerId of workersOf(runs)) await expireLease(db, workerId)
}

function workersOf(runs: readonly NewRun[]): Set<string> {
  return new Set(runs.flatMap(({ workerId }) => workerId ?? []))
}

/** The end of an attempt that succeeded, unless it says otherwise. */
export function anEnd({ bucket, id }: NewRun, overrides: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    bucket,
    id,
    fence: 1,
    expectedSeq: 2,
    to: 'SUCCEEDED',
    reason: 'COMPLETED',
    attemptStatus: 'SUCCEEDED',
    result: '{}',
    error: null,
    delayMs: null,
    failures: 0,
    losses: 0,
    probe: false,
    ...overrides,
  }
}

/** Everything that the database says of a run. */
export async function recordOf(db: Database, id: string): Promise<unknown> {
  const [row] = await db.reads`
    select to_jsonb(r) as run,
      (select jsonb_agg(e order by e.seq) from action_do.events e where e.root_id = r.id) as events
    from action_do.runs r where r.id = ${id}`
  const [attempts] = await attemptsOf(db, [id])
  return row && { ...row, attempts }
}

/** Members of events that are read in several ways; other ways read more. */
function shownEvents(events: readonly EventRow[]) {
  return events.map(
    ({ rootId, seq, at, fromStatus, toStatus, reason, attempt, error, actor, data, runId, stepKey }) => {
      return { rootId, seq, at, fromStatus, toStatus, reason, attempt, error, actor, data, runId, stepKey }
    },
  )
}

/**
 * The events of a root's stream, once every way of reading them has shown the same: with SQL, in pages, as a stream, and those of
 * each run, for itself and for all runs together.
 * @param places after which events, and how many of them, are asked for; by default each and each.
 */
export async function eventsReadInEveryWay(
  db: Database,
  rootId: string,
  places: { afters?: readonly number[]; sizes?: readonly number[] } = {},
): Promise<EventRow[]> {
  const all = await db.reads<EventRow[]>`
    select root_id as "rootId", seq, at, from_status as "fromStatus", to_status as "toStatus", reason, attempt, error, actor, data,
      run_id as "runId", step_key as "stepKey"
    from action_do.events where root_id = ${rootId} order by seq`
  expect(all.map(({ seq }) => seq)).toEqual(oneTo(all.length))
  const { afters = [0, ...oneTo(all.length)], sizes = oneTo(all.length) } = places
  for (const after of afters)
    for (const first of sizes) {
      const expected = shownEvents(all.slice(after, after + first))
      const [page = []] = await eventPages(db, [{ rootId, runId: rootId, after, first }])
      expect(shownEvents(page)).toEqual(expected)
      const [stream] = await streamPages(db, [{ rootId, after, first }])
      expect(shownEvents(stream?.events ?? [])).toEqual(expected)
    }
  const ofRun = (runId: string) => ({ rootId, runId, after: 1, first: 3 })
  const runIds = [...new Set(all.map((event) => event.runId))]
  const together = await eventPages(db, runIds.map(ofRun))
  for (const [i, runId] of runIds.entries()) {
    const expected = all.filter((event) => event.seq > 1 && (event.runId === runId || runId === rootId)).slice(0, 3)
    expect(shownEvents(together[i]!)).toEqual(shownEvents(expected))
    const [alone = []] = await eventPages(db, [ofRun(runId)])
    expect(shownEvents(alone)).toEqual(shownEvents(expected))
  }
  return [...all]
}
