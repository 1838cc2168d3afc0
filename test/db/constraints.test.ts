import { expect, test } from 'vitest'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { testDatabase } from '../support/database.ts'
import { newRun, openDatabase, recordOf } from './support.ts'

const illegal = [
  `status = 'RUNNING', available_at = null`,
  `worker_id = 'w'`,
  `status = 'RUNNING', worker_id = 'w'`,
  `available_at = null`,
  `status = 'INDETERMINATE'`,
  `status = 'SUCCEEDED', available_at = null`,
  `status = 'FAILED', available_at = null`,
  `status = 'CANCELED', available_at = null`,
  `finished_at = now()`,
  `result = '1'`,
  `status = 'FAILED', available_at = null, finished_at = now(), result = '1'`,
  `step_key = 'step'`,
  `parent_id = id`,
  `succeeded_by = 'w'`,
  'tells_end = true',
  'bucket = 1024',
  'bucket = -1',
]

/** What a run that was just submitted has, without what Postgres generates. */
const COLUMNS = `bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation, attempt,
  failures, losses, probe, fence, available_at, last_seq, created_at`

test('no statement can leave a run in a state that contradicts itself', async () => {
  const db = openDatabase(await testDatabase())
  const run = newRun()
  await submitRuns(db, [run])
  const before = await recordOf(db, run.id)
  for (const change of illegal)
    await expect(db.reads.unsafe(`update action_do.runs set ${change}`), change).rejects.toMatchObject({
      code: '23514',
      constraint_name: 'runs_consistent',
    })
  expect(await recordOf(db, run.id)).toEqual(before)
})

test('no run, event or attempt can be there twice, and no state or reason can be made up', async () => {
  const db = openDatabase(await testDatabase())
  await submitRuns(db, [newRun(), newRun({ status: 'SCHEDULED', runAt: new Date() })])
  const copies = [
    `insert into action_do.runs (${COLUMNS}) select ${COLUMNS} from action_do.runs`,
    'insert into action_do.written_events select * from action_do.written_events',
    `insert into action_do.written_attempts (bucket, run_id, number, status, worker_id, started_at, finished_at)
      select bucket, id, 1, 'LOST', 'w', now(), now() from action_do.runs cross join generate_series(1, 2)`,
  ]
  for (const copy of copies) await expect(db.reads.unsafe(copy), copy).rejects.toMatchObject({ code: '23505' })
  for (const change of [
    `runs set status = 'DONE'`,
    `written_events set reason = 'BECAUSE'`,
    `runs set effect = 'maybe'`,
  ])
    await expect(db.reads.unsafe(`update action_do.${change}`), change).rejects.toMatchObject({ code: '22P02' })
})
