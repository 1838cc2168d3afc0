import type { OnError } from '../core/workflow/graph.ts'
import type { RESERVED_KEYS } from './workflow-checks.ts'
import type { Settled, Stored } from './workflow-types.ts'

/**
 * What the compiler knows of a workflow under construction. These are interfaces with type parameters, not aliases of
 * object types: the arguments of a reference are computed at once, so that the hundredth step of a chain finds what it
 * needs of the ninety-ninth ready, where an alias would lead it back to the first and over the compiler's limit of depth.
 */
export interface State<
  Params = unknown,
  Steps extends Record<string, StepInfo> = Record<string, StepInfo>,
  Last extends string = string,
  Canceled extends string = string,
  Default extends OnError = OnError,
> {
  /** What the params schema makes of the params. */
  readonly params: Params
  readonly steps: Steps
  /** The step declared last, which the next one follows. */
  readonly last: Last
  /** The steps that another may cancel. */
  readonly canceled: Canceled
  /** What a step without a word of its own does when it fails. */
  readonly onError: Default
}

/** What the compiler knows of a step. */
export interface StepInfo<
  Result = unknown,
  Before extends string = string,
  Sure extends string = string,
  Skips extends boolean = boolean,
> {
  /** What it leaves where it was not skipped. */
  readonly result: Result
  /** The steps that come before it, directly or not. */
  readonly before: Before
  /** Those of them that have certainly left a result when it runs. */
  readonly sure: Sure
  /** Whether it may be skipped. */
  readonly skips: Skips
}

export type Join = 'all' | 'any' | number
export type OnSkipped = 'skip' | 'run'

export type KeyOf<S extends State> = keyof S['steps'] & string

type ReservedKey = (typeof RESERVED_KEYS)[number]

/** The key, or a text that says why it cannot be one. */
export type NewKey<K extends string, S extends State> = K extends ReservedKey
  ? `"${K}" is reserved`
  : K extends KeyOf<S>
    ? `there is a step "${K}" already`
    : K

/**
 * What the compiler knows of a list of dependencies. An interface and no aliases, here and below: a union remembers the
 * alias that it was computed by, with the whole state as its argument, and a declaration file would print that.
 */
interface Dependencies<S extends State, A extends KeyOf<S>> {
  /** They and the steps before them. */
  readonly before: A | S['steps'][A]['before']
  /** The steps that have certainly left a result once all of these have. */
  readonly known: A | S['steps'][A]['sure']
  /** The steps that have certainly left a result once one of these has, whichever it is. */
  readonly shared: [A] extends [never]
    ? never
    : (A extends KeyOf<S> ? (known: Dependencies<S, A>['known']) => void : never) extends (
          known: infer K extends string,
        ) => void
      ? K
      : never
  /** Those of them that are never skipped. */
  readonly firm: '*' extends S['canceled']
    ? never
    : A extends S['canceled']
      ? never
      : A extends KeyOf<S>
        ? S['steps'][A]['skips'] extends false
          ? A
          : never
        : never
}

/** What the compiler knows of a step with these dependencies, before it has a key. */
export interface Placed<S extends State, A extends KeyOf<S>, J extends Join, O extends OnSkipped> {
  readonly before: Dependencies<S, A>['before']
  /** What its functions see. */
  readonly scope: Seen<S, Dependencies<S, A>['before'], Placed<S, A, J, O>['sure']>['scope']
  /**
   * The steps before that have certainly left a result when it runs. A join of all waits for each dependency, and wants one
   * at least that was not skipped; the other joins know only that some were completed.
   */
  readonly sure: J extends 'all'
    ? [A] extends [Dependencies<S, A>['firm']]
      ? Dependencies<S, A>['known']
      : Dependencies<S, Dependencies<S, A>['firm']>['known'] | (O extends 'skip' ? Dependencies<S, A>['shared'] : never)
    : O extends 'skip'
      ? Dependencies<S, A>['shared']
      : never
  /** Whether it may be skipped although it has no condition. */
  readonly skips: [A] extends [Dependencies<S, A>['firm']]
    ? false
    : O extends 'run'
      ? false
      : J extends number
        ? true
        : [Dependencies<S, A>['firm']] extends [never]
          ? true
          : false
  /** The steps that it may cancel, once its join has what it needs. */
  readonly cancels: J extends 'all' ? never : Exclude<Dependencies<S, A>['before'], Dependencies<S, A>['shared']>
}

/** What a step leaves, given what its work results in and what it does when it fails. */
export type Outcome<R, E extends OnError> = E extends 'continue' ? Settled<Stored<R>> : Stored<R>

/**
 * What a function sees: the params, and the results of some steps, of which some are certain. It is taken as the member of
 * an interface, once more, so that the compiler's errors show what is seen, and no name with the state behind it.
 */
interface Seen<S extends State, Visible extends string, Certain> {
  readonly scope: {
    // NoInfer: the dependencies follow from `after`, and not from what a mapper happens to look at
    readonly [K in 'params' | NoInfer<Visible>]: K extends 'params'
      ? S['params']
      : K extends Certain
        ? S['steps'][K]['result']
        : S['steps'][K]['result'] | undefined
  }
}

/** What the function that computes a workflow's result sees: every step, once all have ended. */
export interface Ended<S extends State> extends Seen<S, KeyOf<S>, Dependencies<S, KeyOf<S>>['firm']> {}

/** One member. An alias of its own, so that `Info` is computed at once. */
export type Named<K extends string, Info> = { readonly [Key in K]: Info }

/** Whether a step may be skipped: without a condition (`W` is never), or with one. */
export type SkipsWith<W, Without extends boolean> = [W] extends [never] ? Without : true
