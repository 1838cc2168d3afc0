/**
 * Measures the product and its peers in turns: `npm run bench`, or `npm run bench -- --quick`. Machines are shared and
 * differ: read the ratios, not the absolute figures.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CATALOGUE, LEFT_OUT } from './catalogue.ts'
import { type Options, parseOptions, USAGE, UsageError } from './options.ts'
import { chart } from './report/chart.ts'
import { page } from './report/page.ts'
import { table } from './report/table.ts'
import { merged, type Results } from './results.ts'
import { runBench } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

const LATEST = fileURLToPath(new URL('results/latest.json', import.meta.url))
const DOCS = fileURLToPath(new URL('../docs', import.meta.url))
const CONTENDER_NAMES = [
  ...new Set([...CATALOGUE.map(({ name }) => name), ...SCENARIOS.flatMap(({ own = {} }) => Object.keys(own))]),
]
const SCENARIO_NAMES = SCENARIOS.map(({ name }) => name)

let shown = ''
const options = optionsOrExit()
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

const listener = { progress, measured: (result: Results['scenarios'][number]) => console.log(table(result)) }
const results = await runBench(options, listener, interrupted.signal)
progress('', '')
for (const { label, reason } of LEFT_OUT) console.log(`\nnot measured: ${label}: ${reason}`)
if (interrupted.signal.aborted) process.exit(130)
if (options.json !== undefined) write(options.json, `${JSON.stringify(results, null, 2)}\n`)
if (options.peers === undefined) record(results)

function optionsOrExit(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2), SCENARIO_NAMES, CONTENDER_NAMES)
    if (parsed) return parsed
    console.log(USAGE)
    process.exit(0)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}

/** Scenarios that were not measured this time keep what was measured before. */
function record(fresh: Results): void {
  const all = merged(JSON.parse(readFileSync(LATEST, 'utf8')), fresh, SCENARIO_NAMES)
  write(LATEST, `${JSON.stringify(all, null, 2)}\n`)
  write(`${DOCS}/benchmarks.md`, page(all))
  write(`${DOCS}/benchmarks.svg`, chart(all))
}

function write(file: string, text: string): void {
  writeFileSync(file, text)
  console.log(`Wrote ${file}`)
}

/** One line that is written over, where somebody watches; else a line for each case. */
function progress(what: string, detail: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}${detail && `: ${detail}`}`)
  else if (what !== shown && what !== '') console.error(what)
  shown = what
}
