/** What a step does: exactly one of these members says so. */
export const KINDS = ['action', 'workflow', 'value', 'sleep', 'sleepUntil', 'signal', 'approval'] as const
export type Kind = (typeof KINDS)[number]

/** What every step may have. */
const COMMON = ['key', 'description', 'after', 'when', 'onError', 'join', 'others', 'onSkipped', 'cancels', 'completes']
/** What a step may have that runs for each item of a list. */
const LIST = ['forEach', 'concurrency', 'need', 'until', 'rest', 'more', 'payloadSchema']
/** What a step may have that calls something. */
const CALL = ['params', ...LIST, 'repeat', 'idempotencyKey', 'limit']
/** What a step may have that waits for somebody. */
const WAIT = ['payloadSchema', 'deadlineMs', 'fallback']

const OF_KIND: Record<Kind, readonly string[]> = {
  action: [...CALL, 'retry', 'timeoutMs', 'effect'],
  workflow: CALL,
  value: [],
  sleep: [],
  sleepUntil: [],
  signal: [...WAIT, 'transient'],
  approval: [...WAIT, 'approvers'],
}

/** The members that a step of a kind may have. */
export function membersOfKind(kind: Kind): ReadonlySet<string> {
  return MEMBERS.get(kind)!
}

const MEMBERS = new Map(KINDS.map((kind) => [kind, new Set([...COMMON, kind, ...OF_KIND[kind]])]))

/** The keys of steps, and the names that expressions use otherwise. */
export const STEP_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  ...['params', 'item', 'index', 'previous', 'result', 'steps', '__proto__', 'constructor', 'prototype'],
])

/** The names of actions and workflows. */
export const NAME = /^[a-z0-9][a-z0-9._-]*$/
/** The names of signals and approvals; every key of a step is one. */
export const SIGNAL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/
