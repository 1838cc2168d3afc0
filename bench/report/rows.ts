import { ratioOf } from '../ratio.ts'
import type { CaseResult, ScenarioResult, TargetResult } from '../results.ts'
import type { Metric } from '../scenario.ts'

const PRODUCT = 'product'

/** A case as cells of text: who, each metric, the spread, and how the product compares. */
export function caseTable(
  { metrics }: ScenarioResult,
  { label, rows }: CaseResult,
): { head: string[]; rows: string[][] } {
  const [first] = metrics
  const own = rows.find(({ contender }) => contender === PRODUCT)
  const compared = rows.length > 1
  const head = [label, ...metrics.map((metric) => metric.label), 'spread', ...(compared ? ['action.do ÷ it'] : [])]
  const cells = rows.map((row) => [
    row.label,
    ...metrics.map((metric) => number(row.median[metric.key], metric)),
    row.rounds.length > 1 ? `±${Math.round(row.spread * 50)} %` : '1 round',
    ...(compared ? [own && first ? times(ratioOf(own, row, first.key)) : ''] : []),
  ])
  return { head, rows: cells }
}

/** What was wanted and what came of it. */
export function targetLine({ text, wanted, got, reached }: TargetResult): string {
  if (got === null) return `${text}: wanted ${wanted}, not measured`
  return `${text}: wanted ${wanted}, got ${got.toLocaleString('en')}${reached ? '' : ' (not reached)'}`
}

function number(value: number | undefined, { digits }: Metric): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function times(ratio: number | undefined): string {
  return ratio?.toLocaleString('en', { maximumSignificantDigits: 3 }) ?? '–'
}
