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
  return uuidV8(sha256([NAMESPACE, kind, name, idempotencyKey]).subarray(0, 16))
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
  const bytes = sha256(parts).subarray(0, 16)
  const bucket = bucketOf(parentId)
  bytes[14] = (bytes[14]! & 0xfc) | (bucket >> 8)
  bytes[15] = bucket & 0xff
  return uuidV8(bytes)
}

function sha256(parts: readonly unknown[]): Buffer {
  return hash('sha256', JSON.stringify(parts), 'buffer')
}

function uuidV8(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return uuidOf(bytes)
}

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

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
