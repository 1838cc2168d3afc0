import { beforeAll, describe, expect, it } from 'vitest'
import type { Results } from '../../bench/results.ts'
import { runBench } from '../../bench/run.ts'

let results: Results
const heard: string[] = []

beforeAll(async () => {
  const options = { quick: true, rounds: 1, roundMs: 50, warmUpMs: 25, only: ['execute', 'written'], json: undefined }
  const listener = { progress: () => {}, measured: ({ name }: { name: string }) => void heard.push(name) }
  results = await runBench({ ...options, peers: ['product', 'bare'] }, listener, new AbortController().signal)
}, 60_000)

describe('the benchmark of the product alone, very short', () => {
  it('measures the scenarios that it is told to, and says so as they end', () => {
    expect(results.scenarios.map(({ name }) => name)).toEqual(['execute', 'written'])
    expect(heard).toEqual(['execute', 'written'])
  })

  it('has a row with figures for each contender in each case', () => {
    expect(results.scenarios.flatMap(({ notMeasured }) => notMeasured)).toEqual([])
    for (const { cases } of results.scenarios)
      for (const { rows } of cases) expect(rows.map(({ contender }) => contender)).toEqual(['product', 'bare'])
    const [execute, written] = results.scenarios
    for (const { rows } of execute?.cases ?? [])
      for (const { median } of rows) {
        expect(median.perSecond).toBeGreaterThan(0)
        expect(median.p99Ms).toBeGreaterThanOrEqual(median.p50Ms ?? Number.NaN)
      }
    for (const { median } of written?.cases[0]?.rows ?? []) {
      expect(median.transactions).toBeGreaterThan(0)
      expect(median.walBytes).toBeGreaterThan(0)
    }
  })

  it('judges the targets whose baseline was there', () => {
    const [execute] = results.scenarios
    expect(execute?.targets.map(({ got }) => typeof got)).toEqual(['object', 'object', 'number'])
  })

  it('tells how each contender is set up, and survives being written as JSON', () => {
    expect(results.contenders.product).toMatchObject({ label: 'action.do', version: 'this checkout' })
    expect(results.contenders.bare?.setUp).toMatch(/postgres\.js/)
    expect(JSON.parse(JSON.stringify(results))).toEqual(results)
  })
})
