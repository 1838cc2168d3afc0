import { markdownTable } from '../../scripts/markdown-table.ts'
import { LEFT_OUT } from '../catalogue.ts'
import type { Conditions, NotMeasured, Results, ScenarioResult, TargetResult } from '../results.ts'
import { caseTable } from './rows.ts'

/** The page of the documentation: everything in it comes from what was measured. */
export function page({ contenders, scenarios }: Results): string {
  const setUps = Object.values(contenders).map(
    ({ label, version, node, setUp }) => `**${label}** (${version}, Node ${node}). ${setUp}`,
  )
  return [
    HEAD,
    '![Throughput of action.do and its peers](benchmarks.svg)',
    '## What was to be reached',
    targetTable(scenarios),
    ...scenarios.map(section),
    '## How each is set up',
    ...setUps,
    leftOut(scenarios),
    '## Where this was measured',
    conditionsTable(scenarios),
    CAVEATS,
  ]
    .join('\n\n')
    .concat('\n')
}

const HEAD = `<!-- Written by \`npm run bench\` and \`npm run generate\` from bench/results/latest.json. Do not edit. -->

# Benchmarks

\`\`\`sh
npm run bench                       # everything
npm run bench -- --quick            # about two minutes
npm run bench -- --only execute,http --rounds 5
npm run bench -- --peers product,dbos
\`\`\`

The first run installs the peers into \`bench/\`; the product does not depend on them. A real Postgres is started: the
machine's, 15 or newer, where there is one, else the embedded one; or it is that of \`BENCH_DATABASE_URL\`. Each contender has a process, with \`NODE_ENV=production\` and \`--max-semi-space-size=32\`, and a database of its own. They are measured in turns, after a warm-up; the tables show
medians over the rounds. Spread is half of what lies between the lowest and the highest round, as a share of the
median. A ratio is the median of the ratios of the rounds, each to the one of the other that came right before or after it.

Where actions are executed, every contender executes the same handler, which does nothing, with 200 bytes of params, and a new key for each call,
and is waited for until the outcome is durable. Each peer is set up as its documentation advises for throughput; how is said below.`

const CAVEATS = `## What these figures do not say

- **Ratios travel, figures do not.** Contenders, Postgres and load share the cores of one machine. What is compared was measured in one run, in turns.
- **A no-op is the worst case for whoever records.** With handlers that do something, all come closer to each other.
- **Contenders keep different things.** action.do keeps the run, its attempts and its events; graphile-worker deletes the row and keeps no result;
  the baselines write two statements and nothing else. Restate writes to storage of its own instead of Postgres.
- **One process each.** Peers that scale out over processes could use more cores than this machine has; so could action.do.
- **Two versions of Node.** Peers that need Node 22 run on Node 24, the others on the Node that ran the benchmark.
- **Who is not measured idles along.** All contenders of a scenario stay up; those that wait take less than a tenth of a core together.
- **Checkpoints of the embedded Postgres happen between cases,** so that one contender's do not fall on another's turn.
- **A contender that is slow in a case** is measured in fewer rounds: "1 round" in the column of the spread.`

function section(result: ScenarioResult): string {
  const tables = result.cases.map((one) => {
    const { head, rows } = caseTable(result, one)
    return markdownTable(head, rows)
  })
  return [`## ${result.title}`, result.about, ...tables].join('\n\n')
}

function targetTable(scenarios: readonly ScenarioResult[]): string {
  const row = ({ text, wanted, got, reached }: TargetResult, title: string) => [
    title,
    text,
    wanted,
    got === null ? 'not measured' : got.toLocaleString('en'),
    reached === null ? '' : reached ? 'yes' : 'no',
  ]
  const rows = scenarios.flatMap(({ title, targets }) => targets.map((target) => row(target, title)))
  return markdownTable(['Scenario', 'What', 'Wanted', 'Got', 'Reached'], rows)
}

function leftOut(scenarios: readonly ScenarioResult[]): string {
  const all = [...LEFT_OUT, ...scenarios.flatMap(({ notMeasured }) => notMeasured)]
  const once = new Map(all.map((one) => [`${one.label}: ${one.reason}`, one]))
  return [...once.values()]
    .map(({ label, reason }: NotMeasured) => `**${label}** was not measured: ${reason}.`)
    .join('\n\n')
}

/** Scenarios that were measured under the same conditions share a line. */
function conditionsTable(scenarios: readonly ScenarioResult[]): string {
  const alike = new Map<string, string[]>()
  for (const { title, measuredAt, conditions } of scenarios) {
    const { commit, machine, postgres } = conditions
    const cells = [measuredAt.slice(0, 10), commit, rounds(conditions), machine, postgres].join('\n')
    alike.set(cells, [...(alike.get(cells) ?? []), title])
  }
  const which = (titles: string[]) => (alike.size === 1 ? 'all' : titles.join('; '))
  const rows = [...alike].map(([cells, titles]) => [which(titles), ...cells.split('\n')])
  return markdownTable(['Scenario', 'On', 'Commit', 'Rounds', 'Machine', 'Postgres'], rows)
}

function rounds({ rounds, roundMs, warmUpMs, quick }: Conditions): string {
  return `${rounds} of ${roundMs / 1_000} s, after ${warmUpMs / 1_000} s${quick ? ' (quick)' : ''}`
}
