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
  const ordered = [...places].sort((a, b) => (a.rootId < b.rootId ? -1 : a.rootId > b.rootId ? 1 : a.cursor - b.cursor))
  const distinct = ordered.filter((place, i) => !isSame(place, ordered[i - 1])).length
  const first = Math.max(1, Math.min(ROOM, Math.floor(MAX_ROWS / distinct)))
  const groups: (PageGroup<P> & { members: P[] })[] = []
  for (const place of ordered) {
    const last = groups.at(-1)
    if (last?.rootId === place.rootId && place.cursor < last.after + first) last.members.push(place)
    else groups.push({ rootId: place.rootId, after: place.cursor, first, members: [place] })
  }
  return groups
}

function isSame(a: Place, b: Place | undefined): boolean {
  return a.rootId === b?.rootId && a.cursor === b.cursor
}
