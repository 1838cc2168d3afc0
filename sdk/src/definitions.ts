/**
 * The shape of the server's definitions, as far as a client's types need it. The server's own types fit, and nothing is
 * imported from it: `new Do<typeof app>()` costs no byte and no dependency.
 */

export interface ActionDefinition<N extends string = string, P = unknown, R = unknown> {
  readonly kind: 'action'
  readonly name: N
  readonly '~types'?: { params: P; result: R }
}

export interface WorkflowDefinition<N extends string = string, P = unknown, R = unknown> {
  readonly kind: 'workflow'
  readonly name: N
  readonly '~types'?: { params: P; result: R }
}

/** What is given to the server's `serve`. */
export interface App {
  readonly actions?: readonly ActionDefinition[]
  readonly workflows?: readonly WorkflowDefinition[]
}

/** The default: any name, any params, an unknown result. */
export interface AnyApp {
  readonly actions: readonly ActionDefinition[]
  readonly workflows: readonly WorkflowDefinition[]
}

type ActionsOf<A extends App> = A extends { readonly actions: readonly (infer D)[] } ? D : never
type WorkflowsOf<A extends App> = A extends { readonly workflows: readonly (infer D)[] } ? D : never

type NameOf<D> = D extends { readonly name: infer N extends string } ? N : never
// not Extract: the untyped definition has the name `string`, and every name finds that one
type Named<D, N> = D extends { readonly name: infer M } ? (N extends M ? D : never) : never
type TypesOf<D> = D extends { readonly '~types'?: infer T } ? NonNullable<T> : never
type ParamsOf<D> = TypesOf<D> extends { params: infer P } ? P : unknown
type ResultOf<D> = TypesOf<D> extends { result: infer R } ? Json<R> : unknown

export type ActionName<A extends App> = NameOf<ActionsOf<A>>
export type ActionParams<A extends App, N> = ParamsOf<Named<ActionsOf<A>, N>>
export type ActionResult<A extends App, N> = ResultOf<Named<ActionsOf<A>, N>>
export type WorkflowName<A extends App> = NameOf<WorkflowsOf<A>>
export type WorkflowParams<A extends App, N> = ParamsOf<Named<WorkflowsOf<A>, N>>
export type WorkflowResult<A extends App, N> = ResultOf<Named<WorkflowsOf<A>, N>>

/** `params` may be left out where `{}`, the server's default, would do. */
export type ParamsMember<P> = Record<never, never> extends P ? { params?: P | undefined } : { params: P }

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
