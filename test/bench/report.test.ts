import { describe, expect, it } from 'vitest'
import { chart } from '../../bench/report/chart.ts'
import { page } from '../../bench/report/page.ts'
import { merged, type Results, type ScenarioResult } from '../../bench/results.ts'
import { PER_SECOND } from '../../bench/scenario.ts'

function scenario(name: string, perSecond: number): ScenarioResult {
  const row = (contender: string, label: string, figure: number) => ({
    contender,
    label,
    median: { perSecond: figure },
    spread: 0.1,
    rounds: [{ perSecond: figure }, { perSecond: figure }],
  })
  return {
    name,
    title: `Scenario <${name}>`,
    about: 'What is done.',
    measuredAt: '2026-01-02T03:04:05Z',
    conditions: {
      quick: true,
      rounds: 2,
      roundMs: 400,
      warmUpMs: 200,
      machine: 'a machine',
      postgres: '18',
      commit: 'abcdef',
    },
    metrics: [PER_SECOND],
    chart: {},
    cases: [{ label: '64 clients', rows: [row('product', 'action.do', perSecond), row('dbos', 'DBOS', 100)] }],
    targets: [{ text: 'throughput against DBOS', wanted: '≥ 10 ×', got: perSecond / 100, reached: perSecond >= 1_000 }],
    notMeasured: [{ label: 'Restate', reason: 'it does not start' }],
  }
}

const results: Results = {
  contenders: { dbos: { label: 'DBOS', version: '5.3.0', node: '20', setUp: 'A pool of ten.' } },
  scenarios: [scenario('a', 2_500)],
}

describe('the page of the benchmark', () => {
  it('shows each figure with its ratio, each target, each set-up and who is missing', () => {
    const text = page(results)
    expect(text).toMatch(/\| DBOS +\| 100 +\| ±5 % +\| 25 +\|/)
    expect(text).toMatch(/\| throughput against DBOS \| ≥ 10 × +\| 25 +\| yes +\|/)
    expect(text).toContain('**DBOS** (5.3.0, Node 20). A pool of ten.')
    expect(text).toContain('**Restate** was not measured: it does not start.')
    expect(text).toMatch(/\| 2026-01-02 \| abcdef \| 2 of 0.4 s, after 0.2 s \(quick\) \| a machine \| 18 +\|/)
  })
})

describe('the chart of the benchmark', () => {
  const widthOf = (svg: string, kind: string) =>
    Number(svg.match(new RegExp(`class="${kind}"[^>]* width="([\\d.]+)"`))?.[1])

  it('draws a longer bar for a higher figure, on a logarithmic scale', () => {
    const svg = chart(results)
    expect(widthOf(svg, 'own')).toBeGreaterThan(widthOf(svg, 'bar'))
    expect(widthOf(svg, 'own')).toBeLessThan(10 * widthOf(svg, 'bar'))
  })

  it('follows the colour scheme of the reader', () => {
    expect(chart(results)).toContain('prefers-color-scheme: dark')
  })

  it('escapes what it writes', () => {
    expect(chart(results)).toContain('Scenario &lt;a>')
  })

  it('is there when nothing was measured', () => {
    expect(chart({ contenders: {}, scenarios: [] })).toMatch(/^<svg .*<\/svg>\n$/s)
  })
})

describe('results', () => {
  it('keep of each scenario what was measured last, in the order of the scenarios', () => {
    const old = { contenders: {}, scenarios: [scenario('b', 1), scenario('gone', 1), scenario('a', 1)] }
    const all = merged(old, results, ['a', 'b'])
    expect(all.scenarios.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(all.scenarios[0]?.cases[0]?.rows[0]?.median).toEqual({ perSecond: 2_500 })
    expect(Object.keys(all.contenders)).toEqual(['dbos'])
  })
})
