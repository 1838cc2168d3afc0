import type { Database } from '../client.ts'

/** Milliseconds until the next run is due: a start, a backoff, the end of a wait; null when there is none. */
export async function millisecondsUntilNextDue(db: Database): Promise<number | null> {
  const [row] = await db.hot<{ ms: number | null }[]>`
    select extract(epoch from least(
      (select r.available_at from action_do.runs r where r.indexed_status = 'SCHEDULED' order by r.available_at limit 1),
      (select r.wake_at from action_do.runs r where r.wake_at is not null order by r.wake_at limit 1)
    ) - now())::float8 * 1000 - ${db.clock.offsetMs}::float8 as ms`
  return row?.ms ?? null
}
