import type { ActionName, ActionParams, App, ParamsMember, WorkflowName, WorkflowParams } from './definitions.ts'
import { DoError } from './errors.ts'

interface Common {
  /** 1–255 printable characters that stand for this intent: the same key never executes twice. Absent: each call is a new intent. */
  idempotencyKey?: string | undefined
  /** Ends the waiting with the error `ABORTED`. What the server has recorded goes on: `run.cancel` stops a run. */
  signal?: AbortSignal | undefined
}

interface Starting extends Common {
  /** When the run is due; a string is ISO 8601. Absent: now. */
  runAt?: Date | string | undefined
}

export type ExecuteInput<A extends App, N extends ActionName<A>> = Starting & {
  name: N
  /** Milliseconds to wait for the outcome; default the client's `timeout`, or 0 when `runAt` is later than that. */
  waitMs?: number | undefined
  /** Among the runs that are due, the higher goes first. */
  priority?: number | undefined
} & ParamsMember<ActionParams<A, N>>

interface StartOptions extends Starting {
  /** Milliseconds to wait for the workflow's end; default 0, which answers as soon as the run is recorded. */
  waitMs?: number | undefined
}

/** A workflow that the server has registered. */
export type StartInput<A extends App, N extends WorkflowName<A>> = StartOptions & {
  name: N
  definition?: undefined
} & ParamsMember<WorkflowParams<A, N>>

/** A workflow given as data. */
export interface StartDefinitionInput extends StartOptions {
  name?: undefined
  definition: unknown
  params?: unknown
}

export interface RetryOptions extends Common {
  /**
   * The step to retry: its key, `key[2]` for one of a list, `key/inner` for one of a sub-workflow. Absent: the run itself, or
   * all steps that failed, were canceled or are indeterminate.
   */
  step?: string | undefined
  /** Amended params; they also give the handler a new idempotency key. */
  params?: unknown
  /** Gives the handler a new idempotency key, for a service that would replay its refusal under the old one. */
  newKey?: boolean | undefined
  /** Recorded with the event. */
  reason?: string | undefined
}

export interface CancelOptions extends Common {
  /** Recorded with the event. */
  reason?: string | undefined
}

/** Of `pause` and `resume`. */
export type PauseOptions = CancelOptions

export interface SkipOptions extends CancelOptions {
  /** The step's key; `key[2]` for one of a list, `key/inner` for one of a sub-workflow. */
  step: string
  /** What those after it get in the place of its result; default null. */
  result?: unknown
}

export interface ResolveOptions extends CancelOptions {
  /** The step that is indeterminate, as for `skip`; absent: the run itself. */
  step?: string | undefined
  /** Whether the effect happened; `RETRY`: it did not, and the run is to run again. */
  outcome: 'SUCCEEDED' | 'FAILED' | 'RETRY'
  /** With `SUCCEEDED`: what the effect gave; default null. */
  result?: unknown
}

export interface ForkOptions extends CancelOptions {
  /** The first step to run anew; what had succeeded before it is taken over. */
  fromStep: string
}

export interface LookOptions {
  signal?: AbortSignal | undefined
}

export interface PreviewOptions extends LookOptions {
  /** The step that would be retried; absent: all that hold the run up. */
  step?: string | undefined
}

export interface SignalOptions extends Common {
  /** The signal or approval that a step waits for. */
  name: string
  payload?: unknown
}

export interface WaitOptions {
  /** Milliseconds; default the client's `timeout`. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

export interface WatchOptions {
  /** Events up to and including this `seq` are left out; default 0, all from the beginning. */
  after?: number | undefined
  /** Ends the loop, without an error. */
  signal?: AbortSignal | undefined
}

/** An input, which plain JavaScript may have left out. Throws `INVALID_INPUT`. */
export function given<T>(input: unknown): T {
  if (typeof input === 'object' && input !== null) return input as T
  throw new DoError('INVALID_INPUT', 'The input is missing: give an object with a name', { details: { path: '' } })
}

/** The moment as the server wants it. A Date without a time would become null, which means now. */
export function isoTime(runAt: Date | string | undefined): string | undefined {
  if (runAt === undefined) return undefined
  const time = new Date(runAt).getTime()
  if (Number.isNaN(time)) throw new DoError('INVALID_INPUT', 'runAt is no valid time', { details: { path: 'runAt' } })
  return typeof runAt === 'string' ? runAt : runAt.toISOString()
}
