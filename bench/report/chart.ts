import type { CaseResult, Results, Row, ScenarioResult } from '../results.ts'

const WIDTH = 760
const LABEL_WIDTH = 190
const VALUE_WIDTH = 90
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH
const BAR = 16
const BAR_STEP = 22
const TITLE = 34
const AXIS = 26
const GAP = 18

/** Readable on light and on dark pages: the colours follow the reader's scheme. */
const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-size: 14px; font-weight: 600 }
  .muted { fill: #57606a }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .muted { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .bar { fill: #656c76 }
    .own { fill: #4493f8 }
  }`

/** The charted case of each scenario as bars over a logarithmic scale, as an SVG. */
export function chart({ scenarios }: Results): string {
  const panels: string[] = []
  let y = 0
  for (const scenario of scenarios) {
    const charted = chartedCase(scenario)
    if (!charted || charted.rows.length === 0) continue
    panels.push(panel(scenario, charted, y))
    y += heightOf(charted) + GAP
  }
  const height = Math.max(y - GAP, 1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>Throughput of action.do and its peers, a second, logarithmic scale</title>
<style>${STYLE}
</style>
${panels.join('\n')}
</svg>
`
}

function chartedCase({ chart: wanted, cases }: ScenarioResult): CaseResult | undefined {
  if (!wanted) return undefined
  return wanted.at === undefined ? cases[0] : cases.find(({ label }) => label === wanted.at)
}

function heightOf({ rows }: CaseResult): number {
  return TITLE + rows.length * BAR_STEP + AXIS
}

function panel({ title, metrics }: ScenarioResult, { label, rows }: CaseResult, top: number): string {
  const key = metrics[0]?.key ?? ''
  const figure = (row: Row) => row.median[key] ?? Number.NaN
  const sorted = [...rows].sort((a, b) => figure(b) - figure(a))
  const low = Math.floor(Math.log10(Math.min(...rows.map(figure)))) - 0.3
  const high = Math.log10(Math.max(...rows.map(figure)))
  const x = (value: number) => LABEL_WIDTH + ((Math.log10(value) - low) / (high - low)) * PLOT_WIDTH
  const bottom = top + TITLE + rows.length * BAR_STEP
  const ticks = powersOfTen(low, high).map((power) => tick(x(10 ** power), top + TITLE, bottom, 10 ** power))
  const bars = sorted.map((row, i) => bar(row, figure(row), x(figure(row)), top + TITLE + i * BAR_STEP))
  const heading = `<text class="title" x="0" y="${top + 16}">${escaped(title)} <tspan class="muted" font-weight="400">${escaped(label)}, a second, logarithmic</tspan></text>`
  return [heading, ...ticks, ...bars].join('\n')
}

function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(low)
  return Array.from({ length: Math.max(0, Math.floor(high) - first + 1) }, (_, i) => first + i)
}

function tick(x: number, top: number, bottom: number, value: number): string {
  const at = x.toFixed(1)
  return `<line class="grid" x1="${at}" x2="${at}" y1="${top - 4}" y2="${bottom}"/><text class="muted" x="${at}" y="${bottom + 14}" text-anchor="middle">${value.toLocaleString('en')}</text>`
}

function bar({ contender, label }: Row, value: number, end: number, y: number): string {
  const own = contender === 'product'
  const middle = y + BAR / 2 + 4
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end"${own ? ' font-weight="600"' : ''}>${escaped(label)}</text>`,
    `<rect class="${own ? 'own' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${(end - LABEL_WIDTH).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text x="${(end + 6).toFixed(1)}" y="${middle}">${value.toLocaleString('en', { maximumSignificantDigits: 3 })}</text>`,
  ].join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
