import { type EachSpec, type Graph, onErrorOf, type StepSpec } from './graph.ts'

/**
 * The graph as a Mermaid flowchart, as it can be pasted into any Markdown: a box for each step with what it does, an arrow
 * for each dependency. Dashed is what a condition decides, round what waits.
 */
export function mermaidOf(graph: Graph): string {
  const ids = new Map(graph.steps.map(({ key }, i) => [key, `s${i}`]))
  const nodes = graph.steps.map((step) => `  ${ids.get(step.key)}${shape(step)}`)
  const edges = graph.steps.flatMap((step) =>
    step.after.map((before) => `  ${ids.get(before)} ${arrow(step)} ${ids.get(step.key)}`),
  )
  const undone = graph.steps.filter((step) => onErrorOf(graph, step) === 'compensate').map(({ key }) => ids.get(key))
  const styles =
    undone.length > 0 ? [`  classDef compensates stroke-dasharray: 2`, `  class ${undone.join(',')} compensates`] : []
  return ['flowchart TD', ...nodes, ...edges, ...styles].join('\n')
}

function shape(step: StepSpec): string {
  const label = escaped([step.key, ...describe(step)].join('\n'))
  switch (step.work.kind) {
    case 'sleep':
    case 'signal':
      return `(["${label}"])`
    case 'workflow':
      return `[["${label}"]]`
    case 'value':
      return `{{"${label}"}}`
    case 'action':
      return `["${label}"]`
  }
}

function describe({ key, work, each, repeat, join, after, limit }: StepSpec): string[] {
  const what =
    'name' in work
      ? work.kind === 'signal'
        ? `${work.approval ? 'approval' : 'signal'} ${work.name}`
        : work.name
      : work.kind
  return [
    // most steps are called after what they do
    ...(what === key ? [] : [what]),
    ...(each ? [forEach(each)] : []),
    ...(repeat ? [`at most ${repeat.max} times`] : []),
    ...(join.need === 'all'
      ? []
      : [`${join.need} of ${after.length}${join.others === 'cancel' ? ', cancels the others' : ''}`]),
    ...(limit ? [`${limit.max} at once per key`] : []),
  ]
}

function forEach({ concurrency, enough, more }: EachSpec): string {
  const atOnce = concurrency === null ? '' : `, ${concurrency} at once`
  const end =
    enough === undefined ? '' : enough.need === 'until' ? ', until it has enough' : `, ${enough.need} are enough`
  return `for each${atOnce}${end}${more === undefined ? '' : `, signal ${more} adds one`}`
}

function arrow({ conditional }: StepSpec): string {
  return conditional ? '-. if .->' : '-->'
}

/** Mermaid takes character codes for what would end its strings. */
function escaped(text: string): string {
  return text.replaceAll('#', '#35;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('\n', '<br/>')
}
