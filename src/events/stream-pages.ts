import { groupBy } from '../core/group-by.ts'

/** A consumer that does not keep up holds so many events; the rest stay in the table until it has room. */
const ROOM = 200

/** One read holds so many events at most: while they are parsed, the event loop stands still. */
const MAX_ROWS = 10_000

/** Where somebody is in a root's stream. */
export interface Place {
  readonly rootId: string
  readonly cursor: number
}

/** A page of a root's stream, and whom it is for. */
export interface PageGroup<P extends Place> {
  readonly rootId: string
  readonly after: number
  readonly first: number
  readonly members: readonly P[]
}

/**
 * Which pages to read. Those whose next event is in the same page share it; who lies far behind gets a page of its own, and
 * holds up nobody who is at the end.
 */
export function groupByPage<P extends Place>(places: readonly P[]): PageGroup<P>[] {
  const byRoot = groupBy(places, ({ rootId }) => rootId)
  for (const ofRoot of byRoot.values()) ofRoot.sort((a, b) => a.cursor - b.cursor)
  let distinct = 0
  for (const ofRoot of byRoot.values()) distinct += new Set(ofRoot.map(({ cursor }) => cursor)).size
  const first = Math.max(1, Math.min(ROOM, Math.floor(MAX_ROWS / distinct)))
  return [...byRoot.values()].flatMap((ofRoot) => pagesOf(ofRoot, first))
}

/** @param places of one root, in the order of their cursors. */
function pagesOf<P extends Place>(places: readonly P[], first: number): PageGroup<P>[] {
  const pages: (PageGroup<P> & { members: P[] })[] = []
  for (const place of places) {
    const last = pages.at(-1)
    if (last && place.cursor < last.after + first) last.members.push(place)
    else pages.push({ rootId: place.rootId, after: place.cursor, first, members: [place] })
  }
  return pages
}
