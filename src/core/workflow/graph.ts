import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Effect } from '../effect.ts'
import type { RetryOptions } from '../retry.ts'

/**
 * The structure of a workflow: plain JSON, without any code. It is stored under the hash of its content, so that a run
 * keeps the graph that it started with, and so that any node can advance it, whatever that node has registered.
 */
export interface Graph {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly steps: readonly StepSpec[]
  /** What a step without a word of its own does when it fails. */
  readonly onError: OnError
  /** Milliseconds from its start after which a run of it fails; absent: none. */
  readonly deadlineMs?: number
  /** The definition that it was made from, where it was given as data; absent: its logic is code that a worker registers. */
  readonly definition?: unknown
}

/**
 * What becomes of a workflow when a step has finally failed. `fail`: what does not depend on the step goes on, then the
 * workflow fails. `continue`: its dependents run and get the error as a value. `compensate`: nothing new starts, and what
 * was completed is undone in reverse order.
 */
export const ON_ERROR = ['fail', 'continue', 'compensate'] as const
export type OnError = (typeof ON_ERROR)[number]

/** A node of the graph. */
export interface StepSpec {
  readonly key: string
  readonly work: StepWork
  /** The steps that must come before, in the order given. */
  readonly after: readonly string[]
  readonly join: Join
  /** Whether a condition decides if it runs. */
  readonly conditional: boolean
  /** Whether it runs although everything it depends on was skipped. */
  readonly onSkipped: 'skip' | 'run'
  readonly onError?: OnError
  /** Runs its work once for each item of a list. */
  readonly each?: EachSpec
  /** Runs its work again and again until a condition holds, at most `max` times. */
  readonly repeat?: { readonly max: number }
  /** Steps that are canceled when this one has succeeded; `EVERY_STEP` among them: all others, so that the workflow ends. */
  readonly cancels: readonly string[]
  /** Lists that are done when this step has succeeded: what they have by then is their result. */
  readonly completes?: readonly string[]
  /** Whether a business key makes it one execution with every other run of the same action and key. */
  readonly keyed: boolean
  /** At most `max` of those that share a key run at once. */
  readonly limit?: { readonly max: number; readonly scope: 'run' | 'everywhere' }
  readonly retry?: RetryOptions
  readonly timeoutMs?: number
  readonly effect?: Effect
}

/** How a list is run. */
export interface EachSpec {
  readonly concurrency: number | null
  /** When it is done before all of its runs are; absent: never. */
  readonly enough?: Enough
  /** The signal that adds an item while it runs; absent: its items are known when it begins. */
  readonly more?: string
}

/** When a list is done: once so many of its runs were completed, or once its condition holds. */
export interface Enough {
  readonly need: number | 'until'
  /** What happens to the runs that were not waited for. */
  readonly rest: 'finish' | 'cancel'
}

/** In the place of a key: every step but the one that says so. */
export const EVERY_STEP = '*'

export type StepWork =
  | { readonly kind: 'action'; readonly name: string }
  | { readonly kind: 'workflow'; readonly name: string }
  /** Computes a value from what came before. */
  | { readonly kind: 'value' }
  /** Waits for a time, or for a moment. */
  | { readonly kind: 'sleep' }
  | SignalWork

/** Waits for a signal; with `approval`, for somebody's decision. */
export interface SignalWork {
  readonly kind: 'signal'
  readonly name: string
  /** Takes only what is sent while it waits; absent: also what was sent before. */
  readonly transient?: true
  /** Milliseconds that it waits; absent: for ever. */
  readonly deadlineMs?: number
  /** The payload when nobody has come by then; absent: the step fails. */
  readonly fallback?: { readonly payload: unknown }
  /** `approvers`: the API keys, by name, that may decide; null: any. */
  readonly approval?: { readonly approvers: readonly string[] | null }
}

/** When a step with several dependencies runs: once all have ended, or once so many of them were completed. */
export interface Join {
  readonly need: 'all' | number
  /** What happens to the dependencies that were not waited for. */
  readonly others: 'finish' | 'cancel'
}

export const ALL: Join = { need: 'all', others: 'finish' }

/** A graph with what the executor looks up. Computed once for each graph. */
export interface CompiledGraph {
  readonly hash: string
  readonly graph: Graph
  readonly steps: ReadonlyMap<string, StepSpec>
  /** The steps that depend on this one directly. */
  readonly successors: ReadonlyMap<string, readonly string[]>
  /** The steps without dependencies. */
  readonly sources: readonly string[]
  /** Every step after those that it depends on. */
  readonly order: readonly string[]
}

/** SHA-256 over the canonical JSON of the graph, in hexadecimal: the same structure has the same hash on every node. */
export function hashOf(graph: Graph): string {
  return createHash('sha256')
    .update(canonicalize(graph) ?? '')
    .digest('hex')
}

/** Throws for a graph with a cycle or an unknown step: check it first, where it comes from outside. */
export function compileGraph(graph: Graph): CompiledGraph {
  const steps = new Map(graph.steps.map((step) => [step.key, step]))
  const successors = new Map<string, string[]>(graph.steps.map(({ key }) => [key, []]))
  for (const { key, after } of graph.steps)
    for (const dependency of new Set(after)) {
      const dependents = successors.get(dependency)
      if (!dependents) throw new Error(`step ${key} comes after ${dependency}, which is no step`)
      dependents.push(key)
    }
  const order = topologicalOrder(graph.steps, successors)
  if (order.length < graph.steps.length) throw new Error('the steps depend on each other in a circle')
  const sources = graph.steps.filter(({ after }) => after.length === 0).map(({ key }) => key)
  return { hash: hashOf(graph), graph, steps, successors, sources, order }
}

/** Kahn, "Topological sorting of large networks", 1962. Shorter than the list where there is a circle. */
function topologicalOrder(steps: readonly StepSpec[], successors: ReadonlyMap<string, readonly string[]>): string[] {
  const unmet = new Map(steps.map(({ key, after }) => [key, new Set(after).size]))
  const order = steps.filter(({ after }) => after.length === 0).map(({ key }) => key)
  for (let i = 0; i < order.length; i++)
    for (const next of successors.get(order[i]!) ?? []) {
      const left = unmet.get(next)! - 1
      unmet.set(next, left)
      if (left === 0) order.push(next)
    }
  return order
}

/** Every step that depends on one of these, directly or not, in the graph's order. */
export function descendantsOf({ successors, order }: CompiledGraph, keys: Iterable<string>): string[] {
  const found = new Set<string>()
  const open = [...keys]
  for (let key = open.pop(); key !== undefined; key = open.pop())
    for (const next of successors.get(key) ?? [])
      if (!found.has(next)) {
        found.add(next)
        open.push(next)
      }
  return found.size === 0 ? [] : order.filter((key) => found.has(key))
}

/** Every step that one of these depends on, directly or not. */
export function ancestorsOf({ steps }: CompiledGraph, keys: Iterable<string>): Set<string> {
  const found = new Set<string>()
  const open = [...keys]
  for (let key = open.pop(); key !== undefined; key = open.pop())
    for (const before of steps.get(key)?.after ?? [])
      if (!found.has(before)) {
        found.add(before)
        open.push(before)
      }
  return found
}

/** The steps that may cancel a step: by a join that does without it, or because they say so. */
export function cancelersOf(compiled: CompiledGraph, key: string): string[] {
  return compiled.graph.steps
    .filter(
      (step) =>
        step.cancels.includes(key) ||
        step.cancels.includes(EVERY_STEP) ||
        (step.join.others === 'cancel' && canceledByJoin(compiled, step.key).includes(key)),
    )
    .map((step) => step.key)
}

/**
 * What a join that cancels the others makes superfluous: its dependencies, and backwards whatever leads nowhere else. A step
 * that something outside of this region still needs is no part of it. In the order in which they run: who undoes what was canceled
 * undoes the later one first.
 */
export function canceledByJoin(compiled: CompiledGraph, join: string): string[] {
  const { steps, successors, order } = compiled
  const before = ancestorsOf(compiled, [join])
  const region = new Set<string>([join])
  for (const key of [...order].reverse())
    if (before.has(key) && (successors.get(key) ?? []).every((next) => region.has(next))) region.add(key)
  region.delete(join)
  return steps.has(join) ? order.filter((key) => region.has(key)) : []
}

/** What a step does when it fails. */
export function onErrorOf(graph: Graph, step: StepSpec): OnError {
  return step.onError ?? graph.onError
}
