import { describe, expect, it } from 'vitest'
import type { Cluster } from '../../bench/cluster.ts'
import { runScenario } from '../../bench/run-scenario.ts'
import type { RunningContender } from '../../bench/running-contender.ts'
import { PER_SECOND, type Scenario } from '../../bench/scenario.ts'

const cluster: Cluster = {
  version: '18',
  kind: 'embedded',
  settings: {},
  createDatabase: async () => '',
  checkpoint: async () => {},
  written: async () => ({ transactions: 0, walBytes: 0 }),
  stop: async () => {},
}

/** Answers each round with the next of its figures; an error is a round that fails. */
function contender(name: string, figures: (number | Error)[], log: string[] = []): RunningContender {
  return {
    setUp: name,
    url: undefined,
    async ask() {
      log.push(name)
      const next = figures.shift()
      if (next instanceof Error) throw next
      return { perSecond: next ?? 0 }
    },
    stop: async () => {},
  }
}

const scenario: Scenario = {
  name: 'one',
  title: 'One',
  about: 'Something.',
  contenders: ['product', 'bare'],
  metrics: [PER_SECOND],
  targets: [
    { what: 'throughput', metric: 'perSecond', over: 'bare', atLeast: 2 },
    { what: 'throughput', metric: 'perSecond', atMost: 10 },
  ],
  cases: () => [
    {
      label: '1 client',
      warmUp: async () => {},
      measure: (running) => running.ask({ kind: 'round', call: 'execute', clients: 1, ms: 1 }),
    },
  ],
}

function run(pool: Record<string, RunningContender | Error>, peers?: string[], what = scenario) {
  return runScenario(what, {
    bench: { quick: true, roundMs: 1, warmUpMs: 1, cluster },
    rounds: 3,
    conditions: { quick: true, rounds: 3, roundMs: 1, warmUpMs: 1, machine: '', postgres: '', commit: '' },
    peers,
    contenders: {
      async running(name) {
        const found = pool[name]
        if (found === undefined || found instanceof Error) throw found
        return found
      },
    },
    progress: () => {},
  })
}

describe('a scenario', () => {
  it('takes the median of the rounds and tells their spread', async () => {
    const { cases } = await run({ product: contender('product', [30, 10, 20]), bare: contender('bare', [5, 5, 5]) })
    expect(cases[0]?.rows[0]).toMatchObject({ contender: 'product', median: { perSecond: 20 }, spread: 1 })
  })

  it('measures the contenders in turns', async () => {
    const log: string[] = []
    await run({ product: contender('product', [1, 1, 1], log), bare: contender('bare', [1, 1, 1], log) })
    expect(log).toEqual(['product', 'bare', 'product', 'bare', 'product', 'bare'])
  })

  it('goes on without a contender that does not start, and says why', async () => {
    const { cases, notMeasured } = await run({
      product: contender('product', [1, 1, 1]),
      bare: new Error('no such port'),
    })
    expect(cases[0]?.rows.map((row) => row.contender)).toEqual(['product'])
    expect(notMeasured).toEqual([{ label: 'bare pair of commits', reason: 'no such port' }])
  })

  it('goes on without a contender that fails in the middle, and says in which case', async () => {
    const { cases, notMeasured } = await run({
      product: contender('product', [1, 1, 1]),
      bare: contender('bare', [1, new Error('gone')]),
    })
    expect(cases[0]?.rows.map((row) => row.contender)).toEqual(['product'])
    expect(notMeasured).toEqual([{ label: 'bare pair of commits, 1 client', reason: 'gone' }])
  })

  it('measures only the contenders that it is told to', async () => {
    const { cases, notMeasured } = await run({ product: contender('product', [1, 1, 1]) }, ['product'])
    expect(cases[0]?.rows).toHaveLength(1)
    expect(notMeasured).toEqual([])
  })

  it('compares the product with what was wanted', async () => {
    const { targets } = await run({
      product: contender('product', [30, 30, 30]),
      bare: contender('bare', [20, 20, 20]),
    })
    expect(targets).toEqual([
      { text: 'throughput against bare pair of commits', wanted: '≥ 2 ×', got: 1.5, reached: false },
      { text: 'throughput', wanted: '≤ 10', got: 30, reached: false },
    ])
  })

  it('compares rounds that came together, so that a machine that is slow for a while does not count', async () => {
    const { targets } = await run({
      product: contender('product', [10, 20, 30]),
      bare: contender('bare', [30, 10, 20]),
    })
    expect(targets[0]).toMatchObject({ got: 1.5, reached: false })
  })

  it('leaves open whether a target is reached when its baseline is missing', async () => {
    const { targets } = await run({ product: contender('product', [3, 3, 3]), bare: new Error('away') })
    expect(targets[0]).toMatchObject({ got: null, reached: null })
    expect(targets[1]).toMatchObject({ got: 3, reached: true })
  })

  it('measures those by itself that it calls its own, and starts nobody for them', async () => {
    const measure = async (_: RunningContender, who: string | undefined) => ({ perSecond: who === 'product' ? 3 : 1 })
    const own = { product: 'ours', rival: 'theirs' }
    const cases = () => [{ label: 'one', warmUp: async () => {}, measure }]
    const targets = [{ what: 'throughput', metric: 'perSecond', over: 'rival', atLeast: 2 }]
    const result = await run({}, undefined, { ...scenario, contenders: ['product', 'rival'], own, cases, targets })
    expect(result.cases[0]?.rows.map(({ contender, label, median }) => [contender, label, median.perSecond])).toEqual([
      ['product', 'ours', 3],
      ['rival', 'theirs', 1],
    ])
    expect(result.targets).toMatchObject([{ text: 'throughput against theirs', got: 3, reached: true }])
    expect(result.notMeasured).toEqual([])
  })
})
