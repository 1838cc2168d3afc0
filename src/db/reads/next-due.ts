import type { Database } from '../client.ts'

/** Milliseconds until the next SCHEDULED run is due; null when there is none. */
export async function millisecondsUntilNextDue(db: Database): Promise<number | null> {
  const [row] = await db.hot<{ ms: number | null }[]>`
    select extract(epoch from r.available_at - now())::float8 * 1000 - ${db.clock.offsetMs}::float8 as ms
    from action_do.runs r where r.status = 'SCHEDULED' order by r.available_at limit 1`
  return row?.ms ?? null
}
