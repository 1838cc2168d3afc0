import type { CaseResult, TargetResult } from './results.ts'
import type { Target } from './scenario.ts'

const PRODUCT = 'product'

/** Compares what was measured with what was wanted. */
export function judge(target: Target, cases: readonly CaseResult[]): TargetResult {
  const { what, at, metric, over, atLeast, atMost, unit } = target
  const rows = (at === undefined ? cases[0] : cases.find(({ label }) => label === at))?.rows ?? []
  const figure = (contender: string) => rows.find((row) => row.contender === contender)
  const own = figure(PRODUCT)?.median[metric]
  const other = over === undefined ? undefined : figure(over)
  const got = ratio(own, over === undefined ? 1 : other?.median[metric])
  const sign = atLeast === undefined ? '≤' : '≥'
  const wanted = `${sign} ${atLeast ?? atMost}${over === undefined ? (unit ? ` ${unit}` : '') : ' ×'}`
  const whose = over === undefined ? '' : ` against ${other?.label ?? over}`
  return {
    text: `${what}${at === undefined ? '' : `, ${at}`}${whose}`,
    wanted,
    got,
    reached:
      got === null ? null : got >= (atLeast ?? Number.NEGATIVE_INFINITY) && got <= (atMost ?? Number.POSITIVE_INFINITY),
  }
}

function ratio(own: number | undefined, other: number | undefined): number | null {
  return own === undefined || other === undefined ? null : Number((own / other).toPrecision(3))
}
