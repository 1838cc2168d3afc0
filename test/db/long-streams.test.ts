import { expect, test } from 'vitest'
import { connect, type Database, MIN_CONNECTIONS } from '../../src/db/client.ts'
import { eventPages, streamPages } from '../../src/db/reads/events.ts'
import { testDatabase } from '../support/database.ts'
import { newRun, openDatabase } from './support.ts'

const EVENTS = 1_000

/** One run that is under way, with as many events, each a row of its own. */
async function longStream(db: Database): Promise<string> {
  const { id, bucket } = newRun()
  await db.reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation, attempt,
      failures, losses, probe, fence, last_seq, created_at)
    values (${bucket}, ${id}, 'WORKFLOW', 'long', '1', 'idempotent', ${id}, '', '{}', 'RUNNING', 0, 1, 0, 0, 0, false, 1, ${EVENTS}, now())`
  await db.reads`
    insert into action_do.written_events (bucket, root_id, seq, run_id, at, to_status, reason)
    select ${bucket}, ${id}, seq, ${id}, now(), 'RUNNING', 'STARTED' from generate_series(1, ${EVENTS}::int) seq`
  return id
}

/** How many rows of events are read for it. */
async function rowsRead(databaseUrl: string, read: (db: Database) => Promise<unknown>): Promise<number> {
  const db = connect(databaseUrl, MIN_CONNECTIONS)
  try {
    return await db.hot.begin(async (tx) => {
      await read({ ...db, hot: tx, reads: tx } as unknown as Database)
      const [row] = await tx<{ rows: number }[]>`
        select idx_tup_fetch::int as rows from pg_stat_xact_user_tables where relname = 'written_events'`
      return row!.rows
    })
  } finally {
    await db.close(1)
  }
}

test.each([0, 10, EVENTS - 10, EVENTS - 1])(
  'what a long stream has after event %i is read without what came before',
  async (after) => {
    const databaseUrl = await testDatabase()
    const rootId = await longStream(openDatabase(databaseUrl))
    const first = 5
    const given = Math.min(first, EVENTS - after)
    // besides them: the newest event of the run, the one before the page, and one that ends the page
    const page = await rowsRead(databaseUrl, (db) => eventPages(db, [{ rootId, runId: rootId, after, first }]))
    expect(page).toBeLessThanOrEqual(given + 3)
    const stream = await rowsRead(databaseUrl, (db) => streamPages(db, [{ rootId, after, first }]))
    expect(stream).toBeLessThanOrEqual(given + 3)
  },
)

test('the events of many steps are read as one stream, not once for each of them', async () => {
  const databaseUrl = await testDatabase()
  const rootId = await longStream(openDatabase(databaseUrl))
  const pages = Array.from({ length: 100 }, () => ({ rootId, runId: newRun().id, after: 0, first: 100 }))
  expect(await rowsRead(databaseUrl, (db) => eventPages(db, pages))).toBeLessThanOrEqual(EVENTS + 1)
})
