import type { Eventually } from '../eventually.ts'
import type { Issue } from '../json.ts'

/** What a mapper or a condition may look at: the params, and the results of the steps before it. */
export interface Scope {
  /** What the params schema made of the params. */
  readonly params: unknown
  /**
   * What a step left: its result; `{ result, error }` where it continues on errors; `undefined` where it was skipped or
   * canceled. Only steps that come before, directly or not, may be asked for. What is not loaded yet is loaded, and the
   * function is called again: it must be pure.
   */
  result(step: string): unknown
}

/** Where in a list, or in a loop, a step is. */
export interface Iteration {
  readonly index: number
  /** The element of the list; in a loop, the result of the iteration before (`undefined` for the first). */
  readonly item: unknown
}

export type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: Issue[] }

/**
 * What a graph cannot say as data: its mappers and conditions. Functions of the code, or expressions of a definition. They
 * are synchronous; what they return is not trusted.
 */
export interface StepLogic {
  /** Whether the step runs. */
  when?(scope: Scope): unknown
  /**
   * Of an action or a workflow: its params. Of a value: the value. Of a sleep: milliseconds, or the moment as a Date or a
   * string. Absent: `{}`, and null for a value.
   */
  input?(scope: Scope, iteration: Iteration | undefined): unknown
  /** The list that the step runs for. */
  items?(scope: Scope): unknown
  /** Whether a loop is done, given the result of this iteration; or a list, given those of its completed runs. */
  until?(scope: Scope, iteration: Iteration): unknown
  /** The business key. */
  key?(scope: Scope, iteration: Iteration | undefined): unknown
  /** What shares a limit. */
  limitKey?(scope: Scope, iteration: Iteration | undefined): unknown
  /** Checks what a signal or an approval brings, or what a signal adds to a list. */
  checkPayload?(payload: unknown): Eventually<Checked>
}

export interface GraphLogic {
  /** Checks the params of a run, and fills in what the schema fills in. */
  checkParams(params: unknown): Eventually<Checked>
  readonly steps: ReadonlyMap<string, StepLogic>
  /** The result of the workflow; absent: that of the step declared last. */
  result?(scope: Scope): unknown
}
