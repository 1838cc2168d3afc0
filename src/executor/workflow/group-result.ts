import type { CompiledGraph } from '../../core/workflow/graph.ts'
import { onErrorOf } from '../../core/workflow/graph.ts'
import type { RunRow } from '../../db/rows.ts'

/** The result of a list or a loop, which is that of its runs: all in order, or the last. */
export function groupResult({ graph, steps }: CompiledGraph, group: RunRow, runs: readonly RunRow[]): unknown {
  const spec = steps.get(group.stepKey ?? '')
  if (!spec || group.status !== 'SUCCEEDED') return group.result
  const ordered = [...runs].sort((a, b) => (a.stepIndex ?? 0) - (b.stepIndex ?? 0)).slice(0, group.size ?? runs.length)
  if (spec.repeat) return ordered.at(-1)?.result ?? null
  const continues = onErrorOf(graph, spec) === 'continue'
  const completed = ordered.filter(({ resolved }) => resolved === 'live')
  return completed.map(({ status, result, error }) =>
    continues ? (status === 'FAILED' ? { error } : { result }) : result,
  )
}
