import { sql } from 'drizzle-orm'
import { index, integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { UNPACKED_EVENTS } from '../event-packs.ts'
import { TOLD_EVENTS } from '../told-events.ts'
import { eventReason, moment, runStatus, schema } from './schema.ts'

/** Of one event. */
const columns = {
  bucket: smallint('bucket').notNull(),
  rootId: uuid('root_id').notNull(),
  seq: integer('seq').notNull(),
  /** The run that changed. */
  runId: uuid('run_id').notNull(),
  at: moment('at').notNull(),
  stepKey: text('step_key'),
  fromStatus: runStatus('from_status'),
  toStatus: runStatus('to_status').notNull(),
  reason: eventReason('reason').notNull(),
  attempt: integer('attempt'),
  error: json('error'),
  /** Who asked: the name of an API key; null where the server itself acted. */
  actor: text('actor'),
  data: json('data'),
}

/**
 * Each transition that its run does not tell, append-only; `seq` is dense within the root's stream, those that are told included. What
 * one commit adds to a stream is one row (`db/event-packs.ts`): its first event, and the others as a list.
 */
const packs = {
  ...columns,
  /** The number of the last one; null where there is one only. */
  lastSeq: integer('last_seq'),
  more: json('more'),
}

export const writtenEvents = schema.table('written_events', packs, (event) => [
  primaryKey({ columns: [event.bucket, event.rootId, event.seq] }),
  // For whoever watches all runs: the newest events lie at the end of the table, so a block-range index costs next to nothing.
  index('events_newest').using('brin', event.at).with({ autosummarize: 'on', pages_per_range: '16' }),
])

/** All events, written or told: for people who ask with SQL. The server asks each for itself, so that a page of many costs what it has. */
export const events = schema.view('events', columns).as(sql`${sql.raw(UNPACKED_EVENTS)}
  union all
  select t.* from action_do.runs r cross join lateral (${sql.raw(TOLD_EVENTS)}) t
  where r.opening is not null or r.tells_end`)
