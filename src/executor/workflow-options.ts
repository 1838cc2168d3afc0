import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { RetryOptions } from '../core/retry.ts'
import type { OnError } from '../core/workflow/graph.ts'
import type { Join, KeyOf, OnSkipped, Placed, State } from './workflow-state.ts'
import type { Json, Output, ParamsOf, Target, Workflow } from './workflow-types.ts'

export interface WorkflowOptions<N extends string, PS extends StandardSchemaV1 | undefined, E extends OnError> {
  description?: string
  /** Recorded with each run; informs people, decides nothing. Default "1". */
  version?: string
  /** Any Standard Schema (zod, valibot, arktype, …). Absent: any JSON value. */
  params?: PS
  /** What a step does when it has finally failed, unless it says so itself. Default `fail`. */
  onError?: E
  /** Milliseconds from its start after which a run fails, 1 to ten years. Absent: none. */
  deadlineMs?: number
  /** Earlier versions of it, so that the runs that began with them go on. */
  previous?: readonly Workflow<NoInfer<N>>[]
}

/** What every step may say. Its type parameters are what the following steps' types depend on. */
export interface StepOptions<
  S extends State,
  A extends KeyOf<S>,
  J extends Join,
  O extends OnSkipped,
  E extends OnError,
  W extends boolean,
  X extends 'finish' | 'cancel',
  C extends KeyOf<S> | '*',
> {
  /** The steps that it depends on, declared before. `[]`: none. Absent: the step declared before it. */
  after?: readonly A[]
  /** How many dependencies must be completed before it runs: all have ended, one, or so many. Default `all`. */
  join?: J
  /** What happens to the dependencies that a join of fewer does not wait for. Default `finish`. */
  others?: X
  /** Decides whether it runs; else it is skipped. Pure and synchronous. */
  when?: (scope: Placed<S, A, J, O>['scope']) => W
  /** Whether it runs although everything that it depends on was skipped. Default `skip`. */
  onSkipped?: O
  /**
   * What happens when it has finally failed. `fail`: the workflow fails; `continue`: the dependents run, and see
   * `{ result, error }`, of a `forEach` one for each item; `compensate`: what was completed is undone in reverse order.
   * Default: the workflow's.
   */
  onError?: E
  /**
   * Steps declared before that are canceled when this one has succeeded. `*`: every other step, whenever declared, so that
   * the workflow ends.
   */
  cancels?: readonly C[]
  /** Lists (`forEach`) declared before that are done when this step has succeeded, with the results that they have by then. */
  completes?: readonly KeyOf<S>[]
}

/** What a step that executes an action or a workflow may say besides. `Args` follow the scope in its functions. */
export interface WorkOptions<
  T extends Target,
  Args extends unknown[],
  S extends State,
  A extends KeyOf<S>,
  J extends Join,
  O extends OnSkipped,
  E extends OnError,
  W extends boolean,
  X extends 'finish' | 'cancel',
  C extends KeyOf<S> | '*',
> extends StepOptions<S, A, J, O, E, W, X, C> {
  /** Replaces what the action says of its retries. */
  retry?: RetryOptions
  /** Milliseconds that one attempt may take; of a workflow, the whole run. */
  timeoutMs?: number
  /** What a lost outcome of the action means here. No action becomes `transactional` by it, and none that is may change. */
  effect?: IfAction<T, 'idempotent' | 'unsafe'>
  /** A business key: every run of the action with the same key is one execution. Actions only. */
  idempotencyKey?: IfAction<T, (scope: Placed<S, A, J, O>['scope'], ...args: Args) => string>
  /** Of the executions with the same key at most `max` run at once: of this run, or of all runs (the default). */
  limit?: {
    key: string | ((scope: Placed<S, A, J, O>['scope'], ...args: Args) => string)
    max: number
    scope?: 'run' | 'everywhere'
  }
}

type IfAction<T extends Target, Value> = T['kind'] extends 'action' | 'action-ref' ? Value : never

/**
 * How a `forEach` runs. `Results` is what it results in; where it is done before all of its runs are, only those that were
 * completed are among them.
 */
export type EachOptions<Scope, Item, Results> = {
  /** How many items are executed at once, 1 or more. Absent: all. */
  concurrency?: number
  /** The name of a signal that adds an item while the list runs: what comes with it is the item. */
  more?: string
  /** Checks what the signal `more` brings. Absent: any JSON value. */
  payload?: StandardSchemaV1<unknown, NoInfer<Item>>
  /** What happens to the runs that `need` or `until` did not wait for. Default `finish`. */
  rest?: 'finish' | 'cancel'
} & (
  | {
      /** How many runs must be completed for the list to be done. Absent, or where there are fewer: all. */
      need?: number
      until?: never
    }
  | {
      need?: never
      /** Whether the list is done, asked whenever a run of it has ended, given the results so far. Pure and synchronous. */
      until?: (scope: Scope, soFar: { readonly result: Results }) => boolean
    }
)

/** How long a `repeat` goes on. */
export interface LoopOptions<Scope, Result> {
  /** Whether this iteration was the last. */
  until: (scope: Scope, iteration: { readonly index: number; readonly result: Result }) => boolean
  /** The most iterations, 1 to 10,000. */
  max: number
}

/** What follows the scope in the functions of a `forEach`. */
export type EachArgs<Item> = [item: Item, index: number]

/** What follows the scope in the functions of a `repeat`. `previous`: what the iteration before left. */
export type LoopArgs<R> = [iteration: { readonly index: number; readonly previous: R | undefined }]

/** What a mapper may be: a function, or nothing where `{}` would do. `V` is what it returns. */
export type Mapper<T extends Target, Scope, Args extends unknown[], V> =
  | ((scope: Scope, ...args: Args) => Mapped<ParamsOf<T>, V>)
  | (Record<never, never> extends ParamsOf<T> ? undefined : never)

/** Where a promise would pass for params, the returned type itself is looked at; else not, for the better messages. */
type Mapped<P, V> = Promise<never> extends P ? P & Sync<V> : P

/** A returned value that is no promise: the functions of a workflow look, and do nothing. */
export type Sync<V> = V & (V extends PromiseLike<unknown> ? 'the functions of a workflow are synchronous' : unknown)

/** The target, or a text that says why it cannot go without a mapper. */
export type Undemanding<T extends Target> =
  Record<never, never> extends ParamsOf<T> ? T : 'it has required params: give a mapper'

/** How long a step waits, and what it takes for an answer when nobody has come. */
type Patience<Fallback> =
  | { deadlineMs?: never; fallback?: never }
  | {
      /** Milliseconds that it waits, 1 to ten years. Absent: for ever. */
      deadlineMs: number
      /** Stands in when nobody has come by then. Absent: the step fails. */
      fallback?: Fallback
    }

export type SignalOptions<PS extends StandardSchemaV1 | undefined> = {
  /** The signal's name. Default: the step's key. */
  signal?: string
  /** Takes only what is sent while it waits, and nothing that was sent before. Default false. */
  transient?: boolean
  /** Checks what comes with the signal. Absent: any JSON value. */
  payload?: PS
} & Patience<Json<Output<NoInfer<PS>>>>

export type ApprovalOptions<PS extends StandardSchemaV1 | undefined, F> = {
  /** The signal's name. Default: the step's key. */
  signal?: string
  /** The names of the API keys that may decide. Absent: any. */
  approvers?: readonly string[]
  /** Checks what comes with the decision. Absent: any JSON value. */
  payload?: PS
} & Patience<F>

/** The decision that a fallback stands for. Without a payload it is null. */
export interface FallbackDecision<T> {
  approved: boolean
  comment?: string
  payload?: T
}

/** What an approval's payload may be besides, given its fallback; never where it has none. */
export type FallbackPayload<F> = [F] extends [never] ? never : F extends { payload: unknown } ? never : null
