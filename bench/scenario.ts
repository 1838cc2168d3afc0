import type { Cluster } from './cluster.ts'
import type { Measurement } from './contender.ts'
import type { RunningContender } from './running-contender.ts'

/** A row of the benchmark: one file in `scenarios/`, listed in `scenarios.ts`. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  /** What exactly is done. */
  readonly about: string
  /** By their name in the catalogue; `name/variant` where a contender can do it in another way. */
  readonly contenders: readonly string[]
  /**
   * The labels of those that the scenario measures with processes of its own: no contender is started for them, and its cases are
   * given the name as the variant.
   */
  readonly own?: Readonly<Record<string, string>>
  /** What is shown. Spread is told of the first. */
  readonly metrics: readonly Metric[]
  /** What to reach, in the order in which it is shown. */
  readonly targets: readonly Target[]
  /** What the chart shows of it; without, nothing. */
  readonly chart?: { readonly at?: string }
  cases(bench: Bench): readonly Case[]
}

/** What the cases of a scenario are made from. */
export interface Bench {
  /** Shorter, with fewer cases: for a look rather than a record. */
  readonly quick: boolean
  /** How long a round lasts. */
  readonly roundMs: number
  /** How long it is warmed up. */
  readonly warmUpMs: number
  readonly cluster: Cluster
}

export interface Case {
  readonly label: string
  /** Before the first round, not counted. */
  warmUp(contender: RunningContender, variant: string | undefined): Promise<unknown>
  measure(contender: RunningContender, variant: string | undefined): Promise<Measurement>
  /** Goes on from where the case before it left the cluster, for what a checkpoint would distort. */
  readonly withoutCheckpoint?: boolean
  /** Closes what the case has opened. */
  close?(): Promise<void>
}

export interface Metric {
  readonly key: string
  readonly label: string
  readonly digits: number
}

/** A ratio of the product's figure to another's, or the figure itself, and what it must be. */
export interface Target {
  readonly what: string
  /** The label of the case; without, it is the only one. */
  readonly at?: string
  readonly metric: string
  /** Whose figure it is divided by; without, it stands for itself. */
  readonly over?: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly unit?: string
}

export const PER_SECOND: Metric = { key: 'perSecond', label: 'a second', digits: 0 }
export const P50: Metric = { key: 'p50Ms', label: 'p50 ms', digits: 2 }
export const P99: Metric = { key: 'p99Ms', label: 'p99 ms', digits: 2 }

/** For a case whose measure does its own warming up. */
export async function noWarmUp(): Promise<void> {}

/** Rounds of one call with so many clients: what most scenarios are made of. */
export function roundsOf(call: string, clients: number, { roundMs, warmUpMs }: Bench): Case {
  const round = (contender: RunningContender, variant: string | undefined, ms: number) =>
    contender.ask({ kind: 'round', call: variant === undefined ? call : `${call}, ${variant}`, clients, ms })
  return {
    label: clientsLabel(clients),
    warmUp: (contender, variant) => round(contender, variant, warmUpMs),
    measure: (contender, variant) => round(contender, variant, roundMs),
  }
}

export function clientsLabel(clients: number): string {
  return clients === 1 ? '1 client' : `${clients} clients`
}
