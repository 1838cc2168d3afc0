import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { OnError } from '../core/workflow/graph.ts'
import type {
  ApprovalOptions,
  EachArgs,
  EachOptions,
  FallbackDecision,
  FallbackPayload,
  LoopArgs,
  LoopOptions,
  Mapper,
  SignalOptions,
  StepOptions,
  Sync,
  Undemanding,
  WorkOptions,
} from './workflow-options.ts'
import type {
  Ended,
  Join,
  KeyOf,
  Named,
  NewKey,
  OnSkipped,
  Outcome,
  Placed,
  SkipsWith,
  State,
  StepInfo,
} from './workflow-state.ts'
import type { Decision, Json, Output, ResultOf, Stored, Target, Workflow } from './workflow-types.ts'

type Others = 'finish' | 'cancel'

/**
 * The builder after one more step, whose result is the workflow's until another step is declared. It is the member of an
 * object type for the reason that workflow-state.ts gives: what an alias refers to directly is computed late.
 */
type Next<
  N extends string,
  P,
  S extends State,
  K extends string,
  R,
  A extends KeyOf<S>,
  J extends Join,
  O extends OnSkipped,
  W,
  X,
  C extends string,
> = {
  builder: WorkflowBuilder<
    N,
    P,
    R | (SkipsWith<W, Placed<S, A, J, O>['skips']> extends false ? never : null),
    State<
      S['params'],
      S['steps'] &
        Named<
          K,
          StepInfo<
            R,
            Placed<S, A, J, O>['before'],
            Placed<S, A, J, O>['sure'],
            SkipsWith<W, Placed<S, A, J, O>['skips']>
          >
        >,
      K,
      S['canceled'] | C | (X extends 'cancel' ? Placed<S, A, J, O>['cancels'] : never),
      S['onError']
    >
  >
}['builder']

/**
 * A workflow under construction, and already a workflow. It never changes: each method returns another one, so that two
 * workflows can begin with the same steps.
 *
 * The functions that it is given see the params and the results of the steps before, as JSON has them; `undefined` is the
 * result of a step that was skipped. They are pure and synchronous, for they are called again whenever a run goes on.
 *
 * Every method throws a `TypeError` or a `RangeError` that names the workflow, the step and the member.
 */
export interface WorkflowBuilder<N extends string, P, R, in out S extends State> extends Workflow<N, P, R> {
  /**
   * Executes an action or a workflow.
   * @param key letters, digits, `_` and `-`; starts with a letter or `_`; 1 to 100 characters; the name of its result.
   * @param input makes its params.
   */
  step<
    const K extends string,
    T extends Target,
    V,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    target: T,
    input: Mapper<T, Placed<S, A, J, O>['scope'], [], V>,
    options?: WorkOptions<T, [], S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<ResultOf<T>, E>, A, J, O, W, X, C>
  /** Executes an action or a workflow with `{}` as its params, after the step declared before. */
  step<const K extends string, T extends Target>(
    key: NewKey<K, S>,
    target: Undemanding<T>,
  ): Next<N, P, S, K, Outcome<ResultOf<T>, S['onError']>, S['last'], 'all', 'skip', never, 'finish', never>

  /** Computes a value, which is kept: any JSON value. */
  value<
    const K extends string,
    V,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    compute: (scope: Placed<S, A, J, O>['scope']) => Sync<V>,
    options?: StepOptions<S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<V, E>, A, J, O, W, X, C>

  /** Waits. @param ms milliseconds, whole, 0 to ten years. */
  sleep<
    const K extends string,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    ms: number | ((scope: Placed<S, A, J, O>['scope']) => number),
    options?: StepOptions<S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<null, E>, A, J, O, W, X, C>

  /** Waits for a moment: a Date, or its text in ISO 8601. One that has passed does not wait. */
  sleepUntil<
    const K extends string,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    moment: (scope: Placed<S, A, J, O>['scope']) => Date | string,
    options?: StepOptions<S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<null, E>, A, J, O, W, X, C>

  /** Waits for a signal. Its result is what came with it. */
  signal<
    const K extends string,
    PS extends StandardSchemaV1 | undefined = undefined,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    options?: SignalOptions<PS> & StepOptions<S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<Output<PS>, E>, A, J, O, W, X, C>

  /** Waits until somebody has approved or rejected. A rejection is a result, no failure. */
  approval<
    const K extends string,
    PS extends StandardSchemaV1 | undefined = undefined,
    F extends FallbackDecision<Json<Output<PS>>> = never,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    options?: ApprovalOptions<PS, F> & StepOptions<S, A, J, O, E, W, X, C>,
  ): Next<N, P, S, K, Outcome<Decision<Stored<Output<PS>> | FallbackPayload<F>>, E>, A, J, O, W, X, C>

  /**
   * Executes an action or a workflow for each item of a list, as the function returned it. Its result is theirs, in the
   * order of the items: of those that were completed, where it does not wait for all.
   * @param items makes the list.
   * @param input makes the params for an item; `index` counts from 0.
   */
  forEach<
    const K extends string,
    Item,
    T extends Target,
    V,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    items: (scope: Placed<S, A, J, O>['scope']) => readonly Item[],
    target: T,
    input: Mapper<T, Placed<S, A, J, O>['scope'], EachArgs<Item>, V>,
    options?: WorkOptions<T, EachArgs<Item>, S, A, J, O, E, W, X, C> &
      EachOptions<Placed<S, A, J, O>['scope'], Item, Outcome<ResultOf<T>, E>[]>,
  ): Next<N, P, S, K, Outcome<ResultOf<T>, E>[], A, J, O, W, X, C>

  /**
   * Executes an action or a workflow again and again. Its result is that of the last iteration.
   * @param input makes the params of an iteration; `index` counts from 0, `previous` is the result of the one before.
   */
  repeat<
    const K extends string,
    T extends Target,
    V,
    A extends KeyOf<S> = S['last'],
    J extends Join = 'all',
    O extends OnSkipped = 'skip',
    E extends OnError = S['onError'],
    W extends boolean = never,
    X extends Others = 'finish',
    C extends KeyOf<S> | '*' = never,
  >(
    key: NewKey<K, S>,
    target: T,
    input: Mapper<T, Placed<S, A, J, O>['scope'], LoopArgs<Outcome<ResultOf<T>, E>>, V>,
    options: WorkOptions<T, LoopArgs<Outcome<ResultOf<T>, E>>, S, A, J, O, E, W, X, C> &
      LoopOptions<Placed<S, A, J, O>['scope'], Outcome<ResultOf<T>, E>>,
  ): Next<N, P, S, K, Outcome<ResultOf<T>, E>, A, J, O, W, X, C>

  /**
   * Ends the definition with what the workflow results in. Without it that is the result of the step declared last, or null
   * where that step was skipped.
   */
  result<V>(compute: (scope: Ended<S>['scope']) => Sync<V>): Workflow<N, P, Stored<V>>
}
