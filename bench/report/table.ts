import type { ScenarioResult } from '../results.ts'
import { caseTable, targetLine } from './rows.ts'

/** A scenario for the terminal. */
export function table(result: ScenarioResult): string {
  const cases = result.cases.map((one) => {
    const { head, rows } = caseTable(result, one)
    return aligned([head, ...rows])
  })
  const targets = result.targets.map((target) => `  → ${targetLine(target)}`)
  const missing = result.notMeasured.map(({ label, reason }) => `  not measured: ${label}: ${reason}`)
  return [`\n${result.title}`, ...cases, ...targets, ...missing].join('\n')
}

function aligned(lines: readonly string[][]): string {
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? []
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))
  return lines.map((line) => `  ${line.map(cell).join('  ')}`).join('\n')
}
