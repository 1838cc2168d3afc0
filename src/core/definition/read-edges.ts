import { type Issues, type Path, shown } from './issues.ts'
import { type JsonObject, Members } from './members.ts'
import { ancestry, orderOf } from './order.ts'
import type { Use } from './place.ts'

/** A step as it was given, and where it stands. */
export interface GivenStep {
  readonly key: string
  readonly object: JsonObject
  readonly path: Path
}

/** The steps before each step. Without `after` that is the one declared before; `[]` is none. */
export function readEdges(steps: readonly GivenStep[], issues: Issues): Map<string, readonly string[]> {
  const keys = new Set(steps.map(({ key }) => key))
  const edges = new Map<string, readonly string[]>()
  for (const [index, { key, object, path }] of steps.entries()) {
    const members = new Members(object, path, issues)
    if (!members.has('after')) edges.set(key, index === 0 ? [] : [steps[index - 1]!.key])
    else {
      const after = members.texts('after') ?? []
      for (const [at, other] of after.entries())
        if (!keys.has(other)) issues.add([...path, 'after', at], `is ${shown(other)}, which is no step`)
      edges.set(
        key,
        [...new Set(after)].filter((other) => keys.has(other)),
      )
    }
  }
  return edges
}

/** Notes a circle, and what an expression names although it does not come before. */
export function checkOrder(
  steps: readonly GivenStep[],
  edges: ReadonlyMap<string, readonly string[]>,
  uses: readonly Use[],
  issues: Issues,
): void {
  const found = orderOf(edges)
  if ('circle' in found) {
    noteCircle(steps, found.circle, issues)
    return
  }
  let comesBefore: ReturnType<typeof ancestry> | undefined
  for (const { path, by, step } of uses) {
    if (by === undefined || comesDirectlyBefore(edges.get(by), step)) continue
    comesBefore ??= ancestry(found.order, edges)
    if (!comesBefore(step, by)) issues.add(path, `names the step ${step}, which does not come before ${by}: see after`)
  }
}

/** Spares most definitions the table of what comes before what; a long list would take longer than the table. */
function comesDirectlyBefore(after: readonly string[] | undefined, step: string): boolean {
  return after !== undefined && after.length <= 8 && after.includes(step)
}

function noteCircle(steps: readonly GivenStep[], circle: readonly string[], issues: Issues): void {
  const first = steps.find(({ key }) => key === circle[0])!
  // a circle of thousands of steps must fit into a message
  const named = circle.length > 12 ? [...circle.slice(0, 6), '…', ...circle.slice(-5)] : circle
  issues.add([...first.path, 'after'], `makes the steps wait for each other in a circle: ${named.join(' → ')}`)
}
