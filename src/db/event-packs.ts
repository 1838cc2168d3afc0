import type { EventRow } from './rows.ts'
import type { NewEvent } from './tree/write-trees.ts'

/**
 * What one commit adds to a stream is one row: its first event in columns, and those after it as a list. A step that ends and the one
 * that follows would else be two rows with an entry of the index each, and what begins with a list a row for each of its runs.
 */
export interface EventPack extends NewEvent {
  /** The number of the last one; null where there is one only. */
  readonly lastSeq: number | null
  /** JSON text: a list of `Packed`, in their order; their numbers follow that of the first, and all have its time. */
  readonly more: string | null
}

/** An event in a list; what is null at its end is left out. */
type Packed = [
  runId: string,
  stepKey: string | null,
  from: EventRow['fromStatus'],
  to: EventRow['toStatus'],
  reason: EventRow['reason'],
  attempt?: number | null,
  error?: EventRow['error'],
  actor?: string | null,
  data?: unknown,
]

/** So many events has a row at most: whoever needs one of them reads all. */
export const MAX_PACK = 100

/** The rows for the events that one commit adds to one stream. */
export function packed(events: readonly NewEvent[]): EventPack[] {
  const packs: EventPack[] = []
  for (let i = 0; i < events.length; i += MAX_PACK) packs.push(packOf(events.slice(i, i + MAX_PACK)))
  return packs
}

function packOf([first, ...others]: NewEvent[]): EventPack {
  const { bucket, rootId, seq, runId, at, stepKey, from, to, reason, attempt, error, actor, data } = first!
  const lastSeq = others.at(-1)?.seq ?? null
  const more = others.length === 0 ? null : JSON.stringify(others.map(listed))
  return { bucket, rootId, seq, runId, at, stepKey, from, to, reason, attempt, error, actor, data, lastSeq, more }
}

function listed({ runId, stepKey, from, to, reason, attempt, error, actor, data }: NewEvent): Packed {
  if (error === null && actor === null && data === null) return [runId, stepKey, from, to, reason, attempt]
  return [runId, stepKey, from, to, reason, attempt, error, actor, data]
}

/** A row of `written_events` as it is read. */
export interface PackRow extends EventRow {
  readonly more: readonly Packed[] | null
}

/** The events of a row. */
export function unpacked(first: PackRow): EventRow[] {
  const { rootId, at, more } = first
  if (!more) return [first]
  const others = more.map(
    ([runId, stepKey, fromStatus, toStatus, reason, attempt = null, error = null, actor = null, data = null], i) => ({
      rootId,
      runId,
      seq: first.seq + i + 1,
      at,
      stepKey,
      fromStatus,
      toStatus,
      reason,
      attempt,
      error,
      actor,
      data,
    }),
  )
  return [first, ...others]
}

/** SQL for all events that are written, one row for each. What is asked of them reaches the index of the table. */
export const UNPACKED_EVENTS = `
  select w.bucket, w.root_id, w.seq, w.run_id, w.at, w.step_key, w.from_status, w.to_status, w.reason, w.attempt, w.error, w.actor, w.data
  from action_do.written_events w
  union all
  select w.bucket, w.root_id, w.seq + m.place::int4, (m.event ->> 0)::uuid, w.at, m.event ->> 1, (m.event ->> 2)::action_do.run_status,
    (m.event ->> 3)::action_do.run_status, (m.event ->> 4)::action_do.event_reason, (m.event ->> 5)::int4,
    case when json_typeof(m.event -> 6) <> 'null' then m.event -> 6 end, m.event ->> 7,
    case when json_typeof(m.event -> 8) <> 'null' then m.event -> 8 end
  from action_do.written_events w cross join lateral json_array_elements(w.more) with ordinality m(event, place)`
