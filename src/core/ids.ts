import { hash } from 'node:crypto'
import { fromString, fromUUID, toUUID } from 'typeid-js'
import { v7 } from 'uuid'
import type { RunKind } from './status.ts'

/** How many buckets the runs are spread over: the low 10 bits of an id name its bucket. */
export const BUCKETS = 1024

/**
 * The id of the run that (kind, name, key) names: a UUIDv8 (RFC 9562) over SHA-256, so that the primary key itself
 * enforces idempotency. The parts are encoded as a JSON array: no two different tuples share an encoding.
 */
export function keyedRunId(kind: RunKind, name: string, idempotencyKey: string): string {
  return uuidV8(sha256([NAMESPACE, kind, name, idempotencyKey]))
}

/**
 * The id of a step's run: of its parent's, the step's key, and its index where it is one of several. So that planning a
 * step twice is harmless, and whoever knows the graph knows the ids. It has its parent's bucket.
 */
export function stepRunId(parentId: string, key: string, index: number | null): string {
  return childId(parentId, ['step', parentId, key, index])
}

/** The id of the run that undoes what a run did. */
export function compensationRunId(id: string, generation: number): string {
  return childId(id, ['compensation', id, generation])
}

/** The id of what is offered to a service that finishes later: one for each call. */
export function callbackId(runId: string, idempotencyKey: string, attempt: number): string {
  return childId(runId, ['callback', runId, idempotencyKey, attempt])
}

/** Names what all calls under one key are waited for by. */
export function callbackTopic(runId: string, idempotencyKey: string): string {
  return childId(runId, ['callbacks', runId, idempotencyKey])
}

function childId(parentId: string, parts: readonly unknown[]): string {
  const hex = sha256(parts)
  const own = Number.parseInt(hex.slice(28, 32), 16) & ~(BUCKETS - 1)
  return uuidV8(hex.slice(0, 28) + (own | bucketOf(parentId)).toString(16).padStart(4, '0'))
}

/** Hexadecimal: to take it apart as text takes half of the time that it takes as bytes. */
function sha256(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex')
}

/** The first 128 bits, but for those that say version and variant. */
function uuidV8(hex: string): string {
  const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The hexadecimal digits that begin with the bits 10. */
const VARIANTS = '89ab'

/** The namespace of every run until there are several. Part of the id, so that adding others changes no existing one. */
const NAMESPACE = 'default'

/** The id of a run without a key: a UUIDv7, ordered by time. */
export function newRunId(): string {
  return v7()
}

/** The shard-to-be of an id: its low 10 bits. */
export function bucketOf(id: string): number {
  return Number.parseInt(id.slice(-3), 16) & (BUCKETS - 1)
}

/** `run_` and 26 base-32 characters: the TypeID that people and the API see. */
export function showRunId(id: string): string {
  return fromUUID(id, 'run')
}

/** `callback_` and 26 base-32 characters. */
export function showCallbackId(id: string): string {
  return fromUUID(id, 'callback')
}

/** The UUID behind a `callback_…`; `undefined` for anything else. */
export function parseCallbackId(shown: string): string | undefined {
  return parseTypeId(shown, 'callback')
}

/** The UUID behind a `run_…`; `undefined` for anything else. */
export function parseRunId(shown: string): string | undefined {
  return parseTypeId(shown, 'run')
}

function parseTypeId(shown: string, prefix: string): string | undefined {
  try {
    return toUUID(fromString(shown, prefix))
  } catch {
    return undefined
  }
}

/**
 * The key that a handler passes on to the system that it calls. It depends on the run and its generation, never on the
 * attempt: a retry keeps it, a retry with amended params or one that asks for a new key gets the next generation's.
 */
export function downstreamKey(id: string, generation: number): string {
  return generation === 1 ? showRunId(id) : `${showRunId(id)}-${generation}`
}
