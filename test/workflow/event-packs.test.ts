import { expect, test } from 'vitest'
import { parseRunId } from '../../src/core/ids.ts'
import { MAX_PACK } from '../../src/db/event-packs.ts'
import { rootsChangedSince } from '../../src/db/reads/events.ts'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { eventsReadInEveryWay, openDatabase } from '../db/support.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const RUNS = 250
const MESSAGE = 'It said "no", then \\n — and {that}, [was], NULL; déjà vu'

const item = action('item', { run: () => null })
const failing = action('failing', {
  run: () => {
    throw new NonRetryableError(MESSAGE, { code: 'NO', details: { why: ['"', '\\', null, 1] } })
  },
})

const many = workflow('many')
  .forEach(
    'each',
    () => Array.from({ length: RUNS }, (_, i) => i),
    item,
    (_, i) => ({ i }),
  )
  .step('last', failing, () => ({}))

async function ranOnce() {
  const databaseUrl = await testDatabase()
  const server = await startWorkflowServer({ databaseUrl, workflows: [many], actions: [item, failing] })
  const run = await server.run({ name: 'many' })
  return { server, run, rootId: parseRunId(run.id)!, db: openDatabase(databaseUrl) }
}

test('what one commit adds to a stream is one row for each hundred events, and reads as what it is', async () => {
  const { run, rootId, db } = await ranOnce()
  const afters = [0, 1, 2, 3, MAX_PACK - 1, MAX_PACK, MAX_PACK + 1, 2 * MAX_PACK + 57, run.lastSeq - 2, run.lastSeq]
  const all = await eventsReadInEveryWay(db, rootId, { afters, sizes: [1, 2, MAX_PACK, 10_000] })
  expect(all).toHaveLength(run.lastSeq)
  expect(all.find(({ reason }) => reason === 'PERMANENT_FAILURE')).toMatchObject({
    stepKey: 'last',
    attempt: 1,
    error: { code: 'NO', message: MESSAGE, details: { why: ['"', '\\', null, 1] } },
  })
  const rows = await db.reads<{ seq: number; last: number }[]>`
    select seq, coalesce(last_seq, seq) as last from action_do.written_events where root_id = ${rootId} order by seq`
  expect(rows.length).toBeLessThan(all.length / 10)
  // none is left out, and none is in two of them
  expect(rows.map(({ seq }) => seq)).toEqual([1, ...rows.slice(0, -1).map(({ last }) => last + 1)])
  expect(Math.max(...rows.map(({ seq, last }) => last - seq + 1))).toBe(MAX_PACK)
})

test('who did what, and with what, is read from the middle of a row as from its begin', async () => {
  const { server, run, rootId, db } = await ranOnce()
  const before = new Date(Date.now() - 60_000)
  await operate(server, 'retryRun', { id: run.id })
  await expect.poll(async () => (await server.look(run.id)).status).toBe('FAILED')
  const again = await server.look(run.id)
  const all = await eventsReadInEveryWay(db, rootId, { afters: [run.lastSeq - 1, run.lastSeq + 1], sizes: [1, 10] })
  const asked = all.filter(({ actor, seq }) => actor !== null && seq > run.lastSeq)
  expect(asked.map(({ reason }) => reason)).toEqual(['REVIVED', 'RETRY_REQUESTED'])
  expect(again.events.slice(-4)).toEqual(
    all.slice(-4).map(({ seq, stepKey, fromStatus, toStatus, reason, actor, data }) => {
      return { seq, step: stepKey, from: fromStatus, to: toStatus, reason, actor, data }
    }),
  )
  expect(await rootsChangedSince(db, before)).toEqual([{ rootId, seq: again.lastSeq }])
})
