import type { Measurement } from './contender.ts'
import type { Metric } from './scenario.ts'

/** What `results/latest.json` holds: of each scenario the last time that it was measured. */
export interface Results {
  readonly contenders: Readonly<Record<string, ContenderFacts>>
  readonly scenarios: readonly ScenarioResult[]
}

export interface ContenderFacts {
  readonly label: string
  readonly version: string
  readonly node: string
  readonly setUp: string
}

export interface ScenarioResult {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly measuredAt: string
  readonly conditions: Conditions
  readonly metrics: readonly Metric[]
  readonly chart?: { readonly at?: string }
  readonly cases: readonly CaseResult[]
  readonly targets: readonly TargetResult[]
  readonly notMeasured: readonly NotMeasured[]
}

export interface Conditions {
  readonly quick: boolean
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpMs: number
  readonly machine: string
  readonly postgres: string
  readonly commit: string
}

export interface CaseResult {
  readonly label: string
  readonly rows: readonly Row[]
}

export interface Row {
  /** `name` or `name/variant`. */
  readonly contender: string
  readonly label: string
  readonly median: Measurement
  /** Of the first metric: (highest - lowest) / median. */
  readonly spread: number
  readonly rounds: readonly Measurement[]
}

export interface TargetResult {
  readonly text: string
  readonly wanted: string
  /** `null`: one of the two figures is missing. */
  readonly got: number | null
  readonly reached: boolean | null
}

export interface NotMeasured {
  readonly label: string
  readonly reason: string
}

/** The scenarios of `fresh` take the place of those that were measured before; the order is that of `names`. */
export function merged(old: Results, fresh: Results, names: readonly string[]): Results {
  const all = new Map([...old.scenarios, ...fresh.scenarios].map((one) => [one.name, one]))
  return {
    contenders: { ...old.contenders, ...fresh.contenders },
    scenarios: names.flatMap((name) => all.get(name) ?? []),
  }
}
