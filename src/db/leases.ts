import type { Database } from './client.ts'
import { dropHolds } from './holds.ts'

/** SQL: the worker `w` is this one, and has a lease at the very moment, by the durable clock. */
export function hasLease(workerId: string, offsetMs: string): string {
  return `w.id = ${workerId} and w.lease_expires_at > clock_timestamp() + make_interval(secs => ${offsetMs} / 1000.0)`
}

/**
 * Registers a worker; its lease runs from now.
 * @param queues what it takes runs from, so that a run that nobody takes can say so.
 */
export async function registerWorker(
  db: Database,
  id: string,
  leaseMs: number,
  queues: readonly string[] = [],
): Promise<void> {
  const offset = db.clock.offsetMs
  await db.hot`
    insert into action_do.workers (id, started_at, lease_expires_at, queues)
    values (${id}, now() + make_interval(secs => ${offset / 1000}::float8),
      now() + make_interval(secs => ${(offset + leaseMs) / 1000}::float8), ${JSON.stringify(queues)}::text::json)
    on conflict (id) do nothing`
}

/** A worker takes runs from other queues than it said. */
export async function recordQueues(db: Database, id: string, queues: readonly string[]): Promise<void> {
  await db.hot`update action_do.workers set queues = ${JSON.stringify(queues)}::text::json where id = ${id}`
}

/** Every queue that a live worker takes runs from. */
export async function liveQueues(db: Database): Promise<Set<string>> {
  const rows = await db.reads<{ queue: string }[]>`
    select distinct q.queue from action_do.workers w cross join lateral json_array_elements_text(w.queues) as q(queue)
    where w.lease_expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)`
  return new Set(rows.map(({ queue }) => queue))
}

/** Renews a lease that has not expired, by the database's clock. False: it has, and nothing brings it back. */
export async function renewLease(db: Database, id: string, leaseMs: number): Promise<boolean> {
  const offset = db.clock.offsetMs
  const rows = await db.hot<{ at: Date }[]>`
    update action_do.workers set lease_expires_at = now() + make_interval(secs => ${(offset + leaseMs) / 1000}::float8)
    where id = ${id} and lease_expires_at > now() + make_interval(secs => ${offset / 1000}::float8)
    returning now() + make_interval(secs => ${offset / 1000}::float8) as at`
  if (rows[0]) db.clock.observe(rows[0].at)
  return rows.length === 1
}

/** Ends a lease at once: what the worker still holds is anybody's to recover. */
export async function expireLease(db: Database, id: string): Promise<void> {
  await db.hot`update action_do.workers set lease_expires_at = '-infinity' where id = ${id}`
}

/**
 * The workers whose lease has expired, and those that hold runs without being registered: a process that was stopped past
 * its lease may wake and submit before it notices.
 */
export async function expiredWorkers(db: Database): Promise<string[]> {
  const rows = await db.hot<{ id: string }[]>`
    select w.id from action_do.workers w
    where w.lease_expires_at <= now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)
    union
    select h.worker_id from action_do.holds h
    where h.worker_id > '' and not exists (select from action_do.workers w where w.id = h.worker_id)
    order by 1 limit 100`
  return rows.map(({ id }) => id)
}

/** Forgets an expired worker that holds nothing any more. */
export async function forgetWorker(db: Database, id: string): Promise<void> {
  await dropHolds(db, id)
  await db.hot`
    delete from action_do.workers w
    where w.id = ${id} and w.lease_expires_at <= now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)
      and not exists (select from action_do.holds h where h.worker_id = w.id)`
}
