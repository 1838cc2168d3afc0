import type { Effect } from '../../core/effect.ts'
import type { Database } from '../client.ts'
import { hold } from '../holds.ts'
import { recentChange } from '../recent-changes.ts'
import { RUN_COLUMNS, type RunRow } from '../rows.ts'
import { type JsonStatement, jsonStatement } from '../statement.ts'

interface ClaimedName {
  readonly name: string
  readonly effect: Effect
  readonly slots: number
  /**
   * Of a remote worker: its version. While a worker with a newer one lives, it is given only what was submitted to its own or an
   * older one.
   */
  readonly version?: number
}

export interface ClaimWish {
  readonly workerId: string
  /** How many runs at most, of all names together. */
  readonly total: number
  /** What the worker has registered, its effect class there, and how many runs of each it has room for. */
  readonly names: readonly ClaimedName[]
}

/*
 * Each name is a short walk along the head of its own stretch of runs_ready: what others have queued is never read. The
 * effect becomes that of the claimer's definition: what happens after a crash depends on what was executed, not on what was
 * deployed when the run was submitted.
 */
const statement: JsonStatement<RunRow> = jsonStatement(`
with wish as materialized (
  select w.*, (now() + make_interval(secs => w."offsetMs" / 1000.0))::timestamptz(3) as now
  from json_to_record(:input) as w("workerId" text, total int4, names json, "offsetMs" float8)
  -- a process that wakes after its lease has expired takes nothing
  where exists (
    select from action_do.workers o
    where o.id = w."workerId" and o.lease_expires_at > now() + make_interval(secs => w."offsetMs" / 1000.0)
  )
), picked as materialized (
  select r.tid, n.effect
  from wish w
  cross join lateral json_to_recordset(w.names) as n(name text, effect action_do.effect, slots int4, version int4)
  cross join lateral (
    select case when n.version is not null and exists (
      select from action_do.workers o
      where (o.actions ->> n.name)::int4 > n.version and o.lease_expires_at > w.now
    ) then n.version end as "upTo"
    offset 0
  ) v
  cross join lateral (
    select r.ctid as tid, r.priority, r.available_at
    from action_do.runs r
    where r.name = n.name and r.indexed_status = 'QUEUED' and r.kind = 'ACTION' and r.parent_id is null and not r.paused
      -- those of the code have versions of any form
      and (v."upTo" is null or case when r.version ~ '^[0-9]{1,9}$' then r.version::int4 else 0 end <= v."upTo")
    order by r.priority desc, r.available_at
    limit least(n.slots, w.total)
    for no key update skip locked
  ) r
  order by r.priority desc, r.available_at
  limit (select total from wish)
), claimed as (
  update action_do.runs r set
    status = 'RUNNING',
    effect = p.effect,
    worker_id = w."workerId",
    fence = r.fence + 1,
    attempt = r.attempt + 1,
    available_at = null,
    started_at = coalesce(r.started_at, w.now),
    attempt_started_at = w.now,
    budget_started_at = coalesce(r.budget_started_at, w.now),
    tells_start = r.tells_start or (r.last_seq = 1 and r.opening is not null),
    last_seq = r.last_seq + 1
  from picked p cross join wish w
  where r.ctid = p.tid and r.status = 'QUEUED'
  returning r.*, w.now as at
), held as (
  ${hold('claimed')}
), told as (
  ${recentChange('(select * from claimed r where r.last_seq = 2 and r.tells_start)')}
), events_written as (
  insert into action_do.written_events (bucket, root_id, seq, run_id, at, step_key, from_status, to_status, reason, attempt)
  select r.bucket, r.root_id, r.last_seq, r.id, r.at, r.step_key, 'QUEUED', 'RUNNING', 'STARTED', r.attempt
  from claimed r where not (r.last_seq = 2 and r.tells_start)
)
select ${RUN_COLUMNS} from claimed r`)

/** Takes runs that may run now, the most urgent first, and makes this worker their owner. Never waits for another's lock. */
export function claimRuns(db: Database, wish: ClaimWish): Promise<RunRow[]> {
  return statement.run(db.hot, { ...wish, offsetMs: db.clock.offsetMs })
}
