import { customType, pgSchema, timestamp } from 'drizzle-orm/pg-core'
import { EFFECTS } from '../../core/effect.ts'
import { ATTEMPT_STATUSES, RUN_KINDS, RUN_STATUSES } from '../../core/status.ts'
import { EVENT_REASONS } from '../../core/transitions.ts'

/** The server's tables live in a schema of their own, so that they share a database with the user's. */
export const schema = pgSchema('action_do')

export const runKind = schema.enum('run_kind', RUN_KINDS)
export const runStatus = schema.enum('run_status', RUN_STATUSES)
export const effectClass = schema.enum('effect', EFFECTS)
export const attemptStatus = schema.enum('attempt_status', ATTEMPT_STATUSES)
export const eventReason = schema.enum('event_reason', EVENT_REASONS)

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** Milliseconds: what JavaScript's Date and a cursor hold without loss. */
export const moment = (name: string) => timestamp(name, { precision: 3, withTimezone: true })
