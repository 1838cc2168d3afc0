/**
 * Writes what derives from the code: schema.graphql, workflow.schema.json, the migrations, and the generated parts of the
 * documentation. With `--check` it writes nothing and fails where something is stale.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { chart } from '../bench/report/chart.ts'
import { page } from '../bench/report/page.ts'
import type { Results } from '../bench/results.ts'
import { onboardingActions } from '../examples/onboarding/actions.ts'
import { onboardUser } from '../examples/onboarding/workflow.ts'
import { order } from '../examples/workflows/shop.ts'
import { DEFINITION_SCHEMA } from '../src/core/definition/json-schema.ts'
import { mermaidOf } from '../src/core/workflow/mermaid.ts'
import type { Workflow } from '../src/index.ts'
import { schema } from '../src/schema/index.ts'
import { SETTINGS } from '../src/server/settings.ts'
import { actionDiagram, lifecycleDiagrams, transitionTable } from './lifecycle.ts'
import { markdownTable } from './markdown-table.ts'

const check = process.argv.includes('--check')
const stale: string[] = []

function write(file: string, fresh: string): void {
  const old = (() => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return ''
    }
  })()
  if (old === fresh) return
  if (check) stale.push(file)
  else writeFileSync(file, fresh)
}

/** Replaces what stands between `<!-- generated: name -->` and `<!-- end -->`. */
function writePart(file: string, name: string, fresh: string): void {
  const text = readFileSync(file, 'utf8')
  const [before, rest] = text.split(`<!-- generated: ${name} -->\n`)
  const end = rest?.indexOf('<!-- end -->')
  if (before === undefined || rest === undefined || end === undefined || end < 0)
    throw new Error(`${file} has no part "${name}"`)
  write(file, `${before}<!-- generated: ${name} -->\n\n${fresh}\n\n${rest.slice(end)}`)
}

function settingsTable(): string {
  const rows = Object.values(SETTINGS).map(({ env, shownDefault, meaning }) => [`\`${env}\``, shownDefault, meaning])
  return markdownTable(['Variable', 'Default', 'Meaning'], rows)
}

/** The example's workflow. Nobody executes it, so its services may be anywhere. */
function onboardingDiagram(): string {
  return diagramOf(onboardUser(onboardingActions({ paymentUrl: 'http://localhost', smtpPort: 25 })))
}

function diagramOf({ graph }: Workflow): string {
  return fenced('mermaid', mermaidOf(graph))
}

/** The regions of a file of examples that tests execute, by name, as code of the documentation. */
function regionsOf(file: string): [name: string, code: string][] {
  const regions = readFileSync(file, 'utf8').matchAll(/^\/\/ #region (\S+)\n(.*?)\n\/\/ #endregion$/gms)
  return [...regions].map(([, name = '', code = '']) => [name, fenced('ts', code)])
}

function fenced(language: string, text: string): string {
  return [`\`\`\`${language}`, text.trim(), '```'].join('\n')
}

function checkMigrations(): void {
  const before = execFileSync('git', ['status', '--porcelain', 'drizzle']).toString()
  execFileSync('npx', ['drizzle-kit', 'generate'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const after = execFileSync('git', ['status', '--porcelain', 'drizzle']).toString()
  if (check && after !== before) stale.push('drizzle/ (src/db/tables changed without a migration)')
}

write('schema.graphql', `${printSchema(lexicographicSortSchema(schema))}\n`)
write('workflow.schema.json', `${JSON.stringify(DEFINITION_SCHEMA, null, 2)}\n`)
writePart('README.md', 'lifecycle', actionDiagram())
writePart('README.md', 'settings', settingsTable())
writePart('examples/onboarding/README.md', 'workflow', onboardingDiagram())
writePart('README.md', 'onboarding', onboardingDiagram())
for (const [name, code] of regionsOf('examples/workflows/shop.ts')) writePart('docs/workflows.md', name, code)
writePart('docs/workflows.md', 'definition', fenced('json', readFileSync('examples/workflows/order.json', 'utf8')))
writePart('docs/workflows.md', 'shipment', fenced('json', readFileSync('examples/workflows/shipment.json', 'utf8')))
writePart('docs/workflows.md', 'picture', diagramOf(order))
writePart('docs/lifecycle.md', 'diagrams', lifecycleDiagrams())
writePart('docs/lifecycle.md', 'transitions', transitionTable(markdownTable))
const measured = JSON.parse(readFileSync('bench/results/latest.json', 'utf8')) as Results
write('docs/benchmarks.md', page(measured))
write('docs/benchmarks.svg', chart(measured))
checkMigrations()

if (stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run \`npm run generate\` and commit what it writes.`)
  process.exit(1)
}
