/** One thing to measure: makes calls one after the other, from as many clients at once as it is told. */
export interface Contender {
  readonly name: string
  /** One call, from its begin to its durable outcome. */
  call(): Promise<void>
  stop?(): Promise<void>
}

export interface Round {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Keeps `clients` calls in flight for `ms`, and tells how many came back. */
export async function round({ call }: Contender, clients: number, ms: number): Promise<Round> {
  const latencies: number[] = []
  const until = performance.now() + ms
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let start = performance.now(); start < until; start = performance.now()) {
        await call()
        latencies.push(performance.now() - start)
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1_000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

export interface Figures {
  readonly perSecond: number
  readonly spread: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Measures contenders in turns, so that what else the machine does falls on all of them, and takes the medians.
 * `spread` is (highest - lowest) / median of the throughput: a wide one says that the machine was noisy.
 */
export async function compare(
  contenders: readonly Contender[],
  clients: number,
  rounds: number,
  ms: number,
): Promise<Map<string, Figures>> {
  const measured = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]))
  for (const contender of contenders) await round(contender, clients, ms / 2)
  for (let i = 0; i < rounds; i++)
    for (const contender of contenders) measured.get(contender.name)?.push(await round(contender, clients, ms))
  return new Map([...measured].map(([name, all]) => [name, figures(all)]))
}

function figures(rounds: readonly Round[]): Figures {
  const rates = rounds.map(({ perSecond }) => perSecond)
  const perSecond = median(rates)
  return {
    perSecond,
    spread: (Math.max(...rates) - Math.min(...rates)) / perSecond,
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  }
}
