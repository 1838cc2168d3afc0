import { bucketOf } from '../../core/ids.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'

/** A signal that was sent to a run. */
export interface SignalRow {
  readonly runId: string
  readonly name: string
  readonly number: number
  readonly payload: unknown
  readonly actor: string
}

const take: JsonStatement<SignalRow> = jsonStatement(`
with input as materialized (
  select i.* from json_to_record(:input) as i(bucket int2, "runIds" json, name text, "takenBy" uuid)
), oldest as materialized (
  select s.run_id, s.number
  from input i
  cross join lateral json_array_elements_text(i."runIds") as w(id)
  cross join lateral (
    select s.run_id, s.number, s.at from action_do.signals s
    where s.bucket = i.bucket and s.run_id = w.id::uuid and s.name = i.name and s.taken_by is null
    order by s.number limit 1
  ) s
  order by s.at, s.number limit 1
)
update action_do.signals s set taken_by = i."takenBy"
from input i cross join oldest o
where s.bucket = (select bucket from input) and s.run_id = o.run_id and s.name = (select name from input) and s.number = o.number
returning s.run_id as "runId", s.name, s.number, s.payload, s.actor`)

/** Takes the oldest signal of a name that nobody took, of those sent to any of these runs. */
export async function takeSignal(
  run: StatementRunner,
  runIds: readonly string[],
  name: string,
  takenBy: string,
): Promise<SignalRow | undefined> {
  const [row] = await run(take, { bucket: bucketOf(takenBy), runIds, name, takenBy })
  return row
}

const keep: JsonStatement<{ number: number }> = jsonStatement(`
insert into action_do.signals (bucket, run_id, name, number, payload, actor, at, taken_by)
select i.bucket, i."runId", i.name,
  1 + coalesce((
    select max(s.number) from action_do.signals s
    where s.bucket = i.bucket and s.run_id = i."runId" and s.name = i.name), 0),
  coalesce(i.payload, 'null'::json), i.actor, to_timestamp(i.at / 1000.0), i."takenBy"
from json_to_record(:input) as i(
  bucket int2, "runId" uuid, name text, payload json, actor text, at float8, "takenBy" uuid)
returning number`)

/** Keeps a signal; the caller holds the lock of the tree. */
export async function keepSignal(
  run: StatementRunner,
  signal: Omit<SignalRow, 'number'> & { at: number; takenBy: string | null },
): Promise<number> {
  const [row] = await run(keep, { ...signal, bucket: bucketOf(signal.runId) })
  return row!.number
}

const waiting: JsonStatement<{ id: string }> = jsonStatement(`
select r.id from json_to_record(:input) as i("rootId" uuid, name text)
cross join lateral (
  select r.id from action_do.runs r
  where r.root_id = i."rootId" and r.wait_name = i.name and r.status in ('WAITING', 'RUNNING')
  order by r.last_seq offset 0
) r`)

/** The steps of a tree that wait for a signal, or lists that take it as an item; the one that waits longest first. */
export async function stepsWaitingFor(run: StatementRunner, rootId: string, name: string): Promise<string[]> {
  return (await run(waiting, { rootId, name })).map(({ id }) => id)
}
