import { ratioOf } from './ratio.ts'
import type { CaseResult, Row, TargetResult } from './results.ts'
import type { Target } from './scenario.ts'

const PRODUCT = 'product'

/** Compares what was measured with what was wanted. */
export function judge(target: Target, cases: readonly CaseResult[]): TargetResult {
  const { what, at, over, atLeast, atMost, unit } = target
  const rows = (at === undefined ? cases[0] : cases.find(({ label }) => label === at))?.rows ?? []
  const rowOf = (contender: string) => rows.find((row) => row.contender === contender)
  const other = over === undefined ? undefined : rowOf(over)
  const got = figure(rowOf(PRODUCT), other, target)
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

function figure(own: Row | undefined, other: Row | undefined, { over, metric }: Target): number | null {
  if (over !== undefined) return (own && other && ratioOf(own, other, metric)) ?? null
  const alone = own?.median[metric]
  return alone === undefined ? null : Number(alone.toPrecision(3))
}
