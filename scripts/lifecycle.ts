import { ENDED_STATUSES } from '../src/core/status.ts'
import { EVENT_REASON_MEANINGS, TRANSITIONS } from '../src/core/transitions.ts'

/** The table of transitions as a Mermaid state diagram: one edge for each pair of states, with all its reasons. */
export function lifecycleDiagram(): string {
  const edges = new Map<string, string[]>()
  for (const { from, to, reason } of TRANSITIONS) {
    const edge = `${from ?? '[*]'} --> ${to}`
    edges.set(edge, [...(edges.get(edge) ?? []), reason])
  }
  const lines = [...edges].map(([edge, reasons]) => `  ${edge}: ${reasons.join('<br/>')}`)
  const reached = new Set<string>(TRANSITIONS.map(({ to }) => to))
  const ends = ENDED_STATUSES.filter((status) => reached.has(status)).map((status) => `  ${status} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', ...lines, ...ends, '```'].join('\n')
}

/** The same as a table, with what each reason means. */
export function transitionTable(table: (head: string[], rows: string[][]) => string): string {
  const rows = TRANSITIONS.map(({ from, to, reason }) => [from ?? '(new)', to, reason, EVENT_REASON_MEANINGS[reason]])
  return table(['From', 'To', 'Reason', 'Meaning'], rows)
}
