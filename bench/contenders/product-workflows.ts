import { type Action, type Workflow, workflow } from '../../src/index.ts'

/** A builder whose keys are not known to the compiler: for graphs that are made in a loop. */
interface LooseBuilder extends Workflow {
  step(key: string, target: Action, mapper: () => object, options?: { after: string[] }): LooseBuilder
  value(key: string, compute: () => unknown, options?: { after: string[] }): LooseBuilder
}

const loose = (name: string) => workflow(name) as unknown as LooseBuilder
const keys = (n: number) => Array.from({ length: n }, (_, i) => `s${i}`)

const sequence = (name: string, n: number, noop: Action): Workflow =>
  keys(n).reduce((w, key) => w.step(key, noop, () => ({})), loose(name))

/** One step, a list of n that a step runs for, one step that waits for all of them. */
const list = (name: string, n: number, noop: Action): Workflow =>
  workflow(name)
    .step('first', noop, () => ({}))
    .forEach(
      'each',
      () => Array.from({ length: n }, (_, i) => i),
      noop,
      (_, i) => ({ i }),
    )
    .step('last', noop, ({ each }) => ({ count: each.length }))

/** The same with n steps of the graph. */
const graph = (name: string, n: number, noop: Action): Workflow =>
  keys(n)
    .reduce(
      (w, key) => w.step(key, noop, () => ({}), { after: ['first'] }),
      loose(name).step('first', noop, () => ({})),
    )
    .step('last', noop, () => ({}), { after: keys(n) })

/** The workflows of all scenarios. */
export const WORKFLOWS = (noop: Action): Workflow[] => [
  sequence('sequence', 10, noop),
  list('fan-out', 50, noop),
  sequence('sequence-100', 100, noop),
  sequence('sequence-1000', 1_000, noop),
  list('list-100', 100, noop),
  list('list-10000', 10_000, noop),
  graph('graph-100', 100, noop),
  graph('graph-5000', 5_000, noop),
]
