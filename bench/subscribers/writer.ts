import { pino } from 'pino'
import { bucketOf, newRunId, showRunId } from '../../src/core/ids.ts'
import { connect, MIN_CONNECTIONS } from '../../src/db/client.ts'
import { jsonStatement } from '../../src/db/statement.ts'
import { Hints } from '../../src/events/hints.ts'

/** An event for each of these runs, by their number. */
export interface Batch {
  readonly runs: readonly number[]
  /** Part of the events' data: just before they are written, so that the commit is in the latency. */
  readonly writtenMs: number
}

export interface Writer {
  /** As people see them. */
  readonly ids: readonly string[]
  /** Commits the events; answers with the UUIDs of the runs that have changed. */
  write(batch: Batch): Promise<readonly string[]>
  /** Tells all nodes of them, as every node does of what it commits. */
  hint(roots: readonly string[]): void
  stop(): Promise<void>
}

const begin = jsonStatement(`
with i as (select * from json_to_recordset(:input) as i(bucket int2, id uuid)),
runs as (
  insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation,
    attempt, failures, losses, probe, fence, last_seq, created_at)
  select bucket, id, 'WORKFLOW', 'busy', '1', 'idempotent', id, '', '{}', 'RUNNING', 0, 1, 0, 0, 0, false, 1, 1, now() from i
)
insert into action_do.written_events (bucket, root_id, seq, run_id, at, to_status, reason, data)
select bucket, id, 1, id, now(), 'RUNNING', 'SUBMITTED', '{}' from i`)

const write = jsonStatement(`
with changed as (
  update action_do.runs r set last_seq = r.last_seq + 1
  from json_to_recordset(:input) as i(bucket int2, id uuid, t float8) where r.bucket = i.bucket and r.id = i.id
  returning r.bucket, r.id, r.last_seq, i.t
)
insert into action_do.written_events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, attempt, data)
select bucket, id, last_seq, id, now(), 'step', 'RUNNING', 'SUCCEEDED', 'COMPLETED', 1, json_build_object('t', t) from changed`)

/**
 * Commits events in the shape that the executor writes. Not the executor itself, so that what is measured is the way of an event
 * from its commit to its subscribers, and the rate is what it is set to.
 */
export async function startWriter(databaseUrl: string, runs: number): Promise<Writer> {
  const db = connect(databaseUrl, MIN_CONNECTIONS)
  const hints = new Hints(db, 'writer', pino({ level: 'warn' }))
  const rows = Array.from({ length: runs }, () => newRunId()).map((id) => ({ id, bucket: bucketOf(id) }))
  await begin.run(db.hot, rows)
  return {
    ids: rows.map(({ id }) => showRunId(id)),
    async write({ runs, writtenMs }) {
      const changed = runs.map((run) => ({ ...rows[run]!, t: writtenMs }))
      await write.run(db.hot, changed)
      return changed.map(({ id }) => id)
    },
    hint: (roots) => hints.send({ roots: [...roots] }),
    async stop() {
      await hints.stop()
      await db.close(1)
    },
  }
}
