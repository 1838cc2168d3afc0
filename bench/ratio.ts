import { median } from './measure.ts'
import type { Row } from './results.ts'

/**
 * One contender's figure over another's: the median of the ratios of their rounds. The n-th rounds of both follow each
 * other within seconds, so that a machine that is slow for a while is slow for both; the ratio of the medians has no such pairs.
 */
export function ratioOf(one: Row, other: Row, metric: string): number | undefined {
  const pairs = Math.min(one.rounds.length, other.rounds.length)
  const ratios = one.rounds
    .slice(0, pairs)
    .map((round, i) => (round[metric] ?? Number.NaN) / (other.rounds[i]?.[metric] ?? Number.NaN))
  const ratio = median(ratios)
  return Number.isNaN(ratio) ? undefined : Number(ratio.toPrecision(3))
}
