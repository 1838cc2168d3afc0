import type { Database } from './client.ts'
import { HELD } from './holds.ts'
import { RUN_COLUMNS, type RunRow } from './rows.ts'
import { jsonStatement } from './statement.ts'

/** A remote worker whose lease is valid. */
export interface RemoteWorker {
  readonly id: string
  readonly name: string
  readonly startedAt: Date
  readonly lastSeenAt: Date
  /** The version of each action that it executes, by name. */
  readonly actions: Readonly<Record<string, number>>
}

const insert = jsonStatement<{ startedAt: Date }>(`
insert into action_do.workers (id, name, started_at, last_seen_at, lease_expires_at, actions, queues)
select i.id, i.name, t.now, t.now, t.now + make_interval(secs => i."leaseMs" / 1000.0), i.actions,
  (select json_agg(k) from json_object_keys(i.actions) k)
from json_to_record(:input) as i(id text, name text, actions json, "leaseMs" float8, "offsetMs" float8)
cross join lateral (select (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now) t
on conflict (id) do nothing
returning started_at as "startedAt"`)

/** Registers a remote worker; its lease runs from now. */
export async function registerRemoteWorker(
  db: Database,
  worker: Pick<RemoteWorker, 'id' | 'name' | 'actions'>,
  leaseMs: number,
): Promise<RemoteWorker> {
  const [row] = await insert.run(db.hot, { ...worker, leaseMs, offsetMs: db.clock.offsetMs })
  const startedAt = row?.startedAt ?? new Date(db.clock.nowMs())
  return { ...worker, startedAt, lastSeenAt: startedAt }
}

const renewal = jsonStatement<{ id: string }>(`
update action_do.workers w
set last_seen_at = t.now, lease_expires_at = t.now + make_interval(secs => i."leaseMs" / 1000.0)
from json_to_record(:input) as i(id text, "leaseMs" float8, "offsetMs" float8)
cross join lateral (select (now() + make_interval(secs => i."offsetMs" / 1000.0))::timestamptz(3) as now) t
where w.id = i.id and w.actions is not null and w.lease_expires_at > t.now
returning w.id`)

/** Renews a lease that has not expired. False: it has, or there is no such remote worker. */
export async function renewRemoteLease(db: Database, id: string, leaseMs: number): Promise<boolean> {
  return (await renewal.run(db.hot, { id, leaseMs, offsetMs: db.clock.offsetMs })).length === 1
}

const live = jsonStatement<RemoteWorker>(`
select w.id, w.name, w.started_at as "startedAt", w.last_seen_at as "lastSeenAt", w.actions
from json_to_record(:input) as i(id text, "offsetMs" float8)
join action_do.workers w on w.actions is not null and (i.id is null or w.id = i.id)
  and w.lease_expires_at > now() + make_interval(secs => i."offsetMs" / 1000.0)
order by w.started_at, w.id`)

/** The remote workers whose lease is valid, the oldest first. */
export function liveRemoteWorkers(db: Database): Promise<RemoteWorker[]> {
  return live.run(db.hot, { id: null, offsetMs: db.clock.offsetMs })
}

/** One remote worker; `undefined` where its lease has expired. */
export async function liveRemoteWorker(db: Database, id: string): Promise<RemoteWorker | undefined> {
  return (await live.run(db.hot, { id, offsetMs: db.clock.offsetMs }))[0]
}

/** An attempt that the database says a worker has. */
export interface HeldAttempt {
  readonly bucket: number
  readonly id: string
  readonly rootId: string
  readonly attempt: number
  readonly fence: number
  /** Milliseconds since it began. */
  readonly ageMs: number
}

const held = jsonStatement<HeldAttempt>(`
select distinct r.bucket, r.id, r.root_id as "rootId", r.attempt, r.fence,
  (extract(epoch from now() - r.attempt_started_at) * 1000 + i."offsetMs")::float8 as "ageMs"
from json_to_record(:input) as i(id text, "offsetMs" float8)
join action_do.holds h on h.worker_id = i.id ${HELD}`)

/** The attempts that a worker has. */
export function attemptsHeldBy(db: Database, workerId: string): Promise<HeldAttempt[]> {
  return held.run(db.hot, { id: workerId, offsetMs: db.clock.offsetMs })
}

const OLD_AT_ONCE = 500

const old = jsonStatement<RunRow>(`
select ${RUN_COLUMNS} from (
  select distinct on (r.bucket, r.id) r.*
  from json_to_record(:input) as i("olderThanMs" float8, "offsetMs" float8, bucket int2, id uuid)
  join action_do.workers w on w.actions is not null
  join action_do.holds h on h.worker_id = w.id ${HELD}
  where r.attempt_started_at < now() + make_interval(secs => (i."offsetMs" - i."olderThanMs") / 1000.0)
    and (i.id is null or (r.bucket, r.id) > (i.bucket, i.id))
  order by r.bucket, r.id limit ${OLD_AT_ONCE}
) r
order by r.bucket, r.id`)

/** Runs whose attempt a remote worker began so long ago, some at a time: how long each of them may take, only their actions say. */
export async function* oldRemoteAttempts(db: Database, olderThanMs: number): AsyncGenerator<RunRow> {
  let last: RunRow | undefined
  do {
    const { bucket = null, id = null } = last ?? {}
    const page = await old.run(db.hot, { olderThanMs, offsetMs: db.clock.offsetMs, bucket, id })
    yield* page
    last = page.length === OLD_AT_ONCE ? page.at(-1) : undefined
  } while (last)
}

/**
 * What a worker may be given steps of, asked in the transaction that gives them: the actions of which nobody alive has a newer version;
 * none where its lease has expired.
 */
export const newestStatement = jsonStatement<{ name: string }>(`
select a.key as name
from json_to_record(:input) as i(id text, "offsetMs" float8)
cross join lateral (select clock_timestamp() + make_interval(secs => i."offsetMs" / 1000.0) as now) t
join action_do.workers w on w.id = i.id and w.lease_expires_at > t.now
cross join lateral json_each_text(w.actions) a
where not exists (
  select from action_do.workers o where (o.actions ->> a.key)::int4 > a.value::int4 and o.lease_expires_at > t.now
)`)
