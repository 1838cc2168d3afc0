import { ENDED_STATUSES, type RunStatus } from '../src/core/status.ts'
import { EVENT_REASON_MEANINGS, type EventReason, TRANSITIONS, type Transition } from '../src/core/transitions.ts'

/** A part of the table that is shown by itself: what happens for these reasons between these states. */
interface View {
  readonly states: readonly RunStatus[]
  readonly reasons: readonly EventReason[]
}

const ACTION: View = {
  states: ['SCHEDULED', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'INDETERMINATE'],
  reasons: [
    ...(['SUBMITTED', 'DELAYED', 'STARTED', 'DUE', 'COMPLETED', 'PROBE_CONFIRMED', 'RETRY_SCHEDULED'] as const),
    ...(['PERMANENT_FAILURE', 'RETRIES_EXHAUSTED', 'DEADLINE_EXCEEDED', 'LOST_TOO_OFTEN'] as const),
    ...(['WORKER_LOST', 'WORKER_STOPPED', 'NOT_STARTED', 'PROBE_NEEDED', 'OUTCOME_UNKNOWN'] as const),
    ...(['CANCEL_REQUESTED', 'RETRY_REQUESTED', 'RESOLVED_SUCCEEDED', 'RESOLVED_FAILED'] as const),
  ],
}

const STEP: View = {
  states: ['PENDING', 'QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'SKIPPED'],
  reasons: [
    ...(['PLANNED', 'READY', 'STARTED', 'WAIT_BEGUN', 'COMPUTED', 'CONDITION_FALSE'] as const),
    ...(['DEPENDENCIES_SKIPPED', 'JOIN_OUT_OF_REACH', 'INPUT_REFUSED'] as const),
    ...(['TIME_REACHED', 'SIGNAL_RECEIVED', 'FALLBACK_TAKEN', 'WAIT_EXPIRED'] as const),
    ...(['LINKED_RUN_SUCCEEDED', 'LINKED_RUN_FAILED', 'LIMIT_GRANTED', 'GRAPH_NEEDED'] as const),
  ],
}

const WORKFLOW: View = {
  states: [
    ...(['SCHEDULED', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const),
    ...(['CANCELED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED'] as const),
  ],
  reasons: [
    ...(['SUBMITTED', 'DELAYED', 'DUE', 'STARTED', 'GRAPH_NEEDED', 'COMPLETED'] as const),
    ...(['STEP_FAILED', 'STEP_INDETERMINATE', 'RESULT_REFUSED', 'LOOP_EXHAUSTED'] as const),
    ...(['COMPENSATION_BEGUN', 'COMPENSATED', 'COMPENSATION_FAILED'] as const),
  ],
}

/** What the steps of a workflow suffer from it. */
const ABOVE: readonly EventReason[] = ['NOT_NEEDED', 'DEADLINE_PASSED']

const OPERATORS: readonly EventReason[] = [
  ...(['CANCEL_REQUESTED', 'PAUSE_REQUESTED', 'RESUME_REQUESTED', 'SKIP_REQUESTED'] as const),
  ...(['RESOLVED_SUCCEEDED', 'RESOLVED_FAILED', 'RETRY_REQUESTED', 'REVIVED', 'RESET', 'TAKEN_OVER'] as const),
]

/** A single action: the short diagram of the README. */
export function actionDiagram(): string {
  return stateDiagram(ACTION)
}

/** The whole table, in parts that can be read. Throws when a transition is in none of them. */
export function lifecycleDiagrams(): string {
  const shown = [ACTION, STEP, WORKFLOW].flatMap(transitionsOf)
  const missing = TRANSITIONS.filter((t) => !shown.includes(t) && ![...ABOVE, ...OPERATORS].includes(t.reason))
  if (missing.length > 0) throw new Error(`no diagram of the lifecycle shows ${JSON.stringify(missing)}`)
  return [
    ...['### A single action', stateDiagram(ACTION)],
    ...['### A step of a workflow', 'With the edges of a single action, where it executes one.', stateDiagram(STEP)],
    ...['### A workflow, a list or a loop', stateDiagram(WORKFLOW)],
    ...['### What its workflow does to a step', manyToOne(ABOVE)],
    ...['### What operators do', manyToOne(OPERATORS)],
  ].join('\n\n')
}

function transitionsOf({ states, reasons }: View): Transition[] {
  return TRANSITIONS.filter(
    ({ from, to, reason }) => reasons.includes(reason) && states.includes(to) && begins(from, reason, states),
  )
}

/** A root is submitted, a step is planned. */
function begins(from: RunStatus | null, reason: EventReason, states: readonly RunStatus[]): boolean {
  return from === null ? (reason === 'PLANNED') === states.includes('PENDING') : states.includes(from)
}

/** One edge for each pair of states, with all its reasons. */
function stateDiagram(view: View): string {
  const transitions = transitionsOf(view)
  const edges = new Map<string, string[]>()
  for (const { from, to, reason } of transitions) {
    const edge = `${from ?? '[*]'} --> ${to}`
    edges.set(edge, [...(edges.get(edge) ?? []), reason])
  }
  const lines = [...edges].map(([edge, reasons]) => `  ${edge}: ${reasons.join('<br/>')}`)
  const reached = new Set<string>(transitions.map(({ to }) => to))
  const ends = ENDED_STATUSES.filter((status) => reached.has(status)).map((status) => `  ${status} --> [*]`)
  return mermaid(['stateDiagram-v2', ...lines, ...ends])
}

/** For what may happen in many states: one box for all that a reason starts from, and an edge that leads out of it. */
function manyToOne(reasons: readonly EventReason[]): string {
  const edges = changes().filter(({ reason }) => reasons.includes(reason))
  const boxes = [...new Set(edges.flatMap(({ from, to }) => [from, to ?? from]))]
  const id = (box: string) => `s${boxes.indexOf(box)}`
  return mermaid([
    'flowchart LR',
    ...boxes.map((box) => `  ${id(box)}["${box.replaceAll(', ', '<br/>')}"]`),
    ...edges.map(({ from, to, reason }) => `  ${id(from)} -- ${reason} --> ${id(to ?? from)}`),
  ])
}

interface Change {
  /** The states that it starts from, in one text. */
  readonly from: string
  /** Undefined: the run stays in the state that it is in. */
  readonly to: RunStatus | undefined
  readonly reason: EventReason
}

/** The table with those transitions in one that differ only in where they start. */
function changes(): Change[] {
  const starts = new Map<string, Change>()
  for (const { from, to, reason } of TRANSITIONS) {
    const end = from === to ? undefined : to
    const known = starts.get(`${end} ${reason}`)
    const states = [...(known ? [known.from] : []), from ?? '(new)'].join(', ')
    starts.set(`${end} ${reason}`, { from: states, to: end, reason })
  }
  return [...starts.values()]
}

function mermaid(lines: readonly string[]): string {
  return ['```mermaid', ...lines, '```'].join('\n')
}

/** The same as a table, with what each reason means. */
export function transitionTable(table: (head: string[], rows: string[][]) => string): string {
  const rows = changes().map(({ from, to, reason }) => [
    from,
    to ?? '(the same)',
    reason,
    EVENT_REASON_MEANINGS[reason],
  ])
  return table(['From', 'To', 'Reason', 'Meaning'], rows)
}
