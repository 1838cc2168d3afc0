import type { Database } from './client.ts'
import { jsonStatement } from './statement.ts'

/** How long a change can be found by its time. 12,000 actions a second, the most that one node does, leave some 0.5 MB a second. */
export const RECENT_MS = 600_000

/** SQL that writes down which runs a commit has changed without an event of their own: the rows of `changed` (id, last_seq, at). */
export function recentChange(changed: string): string {
  return `insert into action_do.recent_changes (at, roots, seqs)
  select max(c.at), array_agg(c.id), array_agg(c.last_seq) from ${changed} c having count(*) > 0`
}

const forget = jsonStatement<never>(`
delete from action_do.recent_changes c
using json_to_record(:input) as i("offsetMs" float8, "keptMs" float8)
where c.at < now() + make_interval(secs => (i."offsetMs" - i."keptMs") / 1000.0)`)

/** Forgets the changes that nobody looks for any more: a little later than that, for readers that are under way. */
export async function forgetChanges(db: Database): Promise<void> {
  await forget.run(db.hot, { offsetMs: db.clock.offsetMs, keptMs: RECENT_MS + 60_000 })
}
