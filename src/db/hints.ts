import type { Database } from './client.ts'

const CHANNEL = 'action_do'

/** Notifies the other nodes; a statement of its own, outside of every transaction that writes. */
export async function sendHint(db: Database, payload: string): Promise<void> {
  await db.notify`select pg_notify(${CHANNEL}, ${payload})`
}

/**
 * Hears the other nodes, over a connection that is made anew when it breaks.
 * @param missed called on each connection: what was notified before it is lost.
 */
export async function listenForHints(
  db: Database,
  heard: (payload: string) => void,
  missed: () => void,
): Promise<() => Promise<void>> {
  const { unlisten } = await db.notify.listen(CHANNEL, heard, missed)
  return unlisten
}
