import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Graph } from '../core/workflow/graph.ts'
import type { GraphLogic } from '../core/workflow/logic.ts'
import type { Action } from './define-action.ts'

/** A defined workflow. The type parameters carry what callers give and get; the members are for the executor. */
export interface Workflow<N extends string = string, P = unknown, R = unknown> {
  readonly kind: 'workflow'
  readonly name: N
  readonly version: string
  readonly description: string | undefined
  /** Versions of it that are no longer started, kept for the runs that began with them. */
  readonly previous: readonly Workflow[]
  readonly paramsSchema: StandardSchemaV1 | undefined
  /** Its structure: plain JSON. */
  readonly graph: Graph
  /** Its functions. */
  readonly logic: GraphLogic
  /** The actions that its steps name as objects, each once; references by name are none. */
  readonly actions: readonly Action[]
  /** The same of workflows. Neither those inside of them nor `previous`. */
  readonly workflows: readonly Workflow[]
  /** Types only, never set: what a caller gives and what it gets back. */
  readonly '~types'?: { params: P; result: R }
}

/** An action named by its name, for one that is registered elsewhere. The types are what whoever wrote them says. */
export interface ActionRef<P = unknown, R = unknown> {
  readonly kind: 'action-ref'
  readonly name: string
  readonly '~types'?: { params: P; result: R }
}

/** A workflow named by its name: one that is registered elsewhere, or the one that the step belongs to. */
export interface WorkflowRef<P = unknown, R = unknown> {
  readonly kind: 'workflow-ref'
  readonly name: string
  readonly '~types'?: { params: P; result: R }
}

/** What a step can execute. */
export type Target = Action | ActionRef | Workflow | WorkflowRef

/** What the caller of a target gives: the input type of its params schema. */
export type ParamsOf<T extends Target> = NonNullable<T['~types']>['params']

/** What a step with this target leaves. */
export type ResultOf<T extends Target> = Stored<NonNullable<T['~types']>['result']>

/** Why a step failed, as its dependents see it where it continues on errors. */
export interface StepError {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details?: unknown
}

/** What a step with `onError: 'continue'` leaves. */
export type Settled<R> =
  | { readonly result: R; readonly error: undefined }
  | { readonly result: undefined; readonly error: StepError }

/** What an approval leaves. */
export interface Decision<T> {
  readonly approved: boolean
  /** The name of the API key that decided; null where nobody did in time and the fallback stands in. */
  readonly by: string | null
  readonly comment: string | null
  readonly payload: T
}

export type Input<S extends StandardSchemaV1 | undefined> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<S>
  : unknown
export type Output<S extends StandardSchemaV1 | undefined> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : unknown

type IsAny<T> = 0 extends 1 & T ? true : false

/** What a value is after its way through JSON: a `Date` arrives as a string. */
export type Json<T> =
  IsAny<T> extends true
    ? T
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends { toJSON(): infer J }
        ? Json<J>
        : T extends (...args: never) => unknown
          ? never
          : T extends object
            ? { [K in keyof T]: Json<T[K]> }
            : T

/** What is kept of a returned value: its JSON, and null for nothing. `undefined` is left to mean "was skipped". */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a result returns void
export type Stored<T> = undefined extends T ? Json<Exclude<T, undefined | void>> | null : Json<T>
