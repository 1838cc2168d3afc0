import type { EachSpec, Enough } from '../core/workflow/graph.ts'
import type { Checks } from './workflow-checks.ts'
import type { LooseOptions } from './workflow-steps.ts'

/** How a `forEach` runs: how many at once, when it has enough, and what may still be added. */
export function eachOf(options: LooseOptions, checks: Checks): EachSpec {
  const { concurrency, more, payload } = options
  checks.whole('concurrency', concurrency, 1)
  checks.signalName(more)
  checks.schema('payload', payload)
  if (payload !== undefined && more === undefined) checks.fail('payload is what more brings: it needs more')
  const enough = enoughOf(options, checks)
  return { concurrency: concurrency ?? null, ...(enough && { enough }), ...(more !== undefined && { more }) }
}

function enoughOf({ need, until, rest }: LooseOptions, checks: Checks): Enough | undefined {
  checks.whole('need', need, 1)
  checks.optionalFunction('until', until)
  checks.oneOf('rest', rest, ['finish', 'cancel'])
  if (need !== undefined && until !== undefined) checks.fail('need and until both say when it is done: give one')
  const when = need ?? (until && 'until')
  if (when === undefined && rest !== undefined)
    checks.fail('rest is what need and until leave over: it needs one of them')
  return when === undefined ? undefined : { need: when, rest: rest ?? 'finish' }
}
