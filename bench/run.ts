import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Cluster, openCluster } from './cluster.ts'
import { Contenders } from './contenders.ts'
import type { Options } from './options.ts'
import type { Conditions, Results, ScenarioResult } from './results.ts'
import { runScenario } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'

/** Who hears of a run while it goes on. */
interface Listener {
  /** What is being measured, and how far that is. */
  progress(what: string, detail: string): void
  measured(result: ScenarioResult): void
}

/** Measures what the options name, on a cluster that it opens and closes. An abort ends it soon. */
const KINDS = { embedded: 'embedded', machine: "the machine's", BENCH_DATABASE_URL: 'given' } as const

export async function runBench(options: Options, listener: Listener, signal: AbortSignal): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
  try {
    listener.progress('starting Postgres', '')
    const cluster = await openCluster(folder)
    const contenders = new Contenders(cluster, folder)
    // what is being measured fails at once, and the run comes to its end
    signal.addEventListener('abort', () => void contenders.stop())
    try {
      const scenarios = await runAll(options, cluster, contenders, listener, signal)
      return { contenders: contenders.facts, scenarios }
    } finally {
      await contenders.stop()
      await cluster.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runAll(
  { only, peers, rounds, quick, roundMs, warmUpMs }: Options,
  cluster: Cluster,
  contenders: Contenders,
  { progress, measured }: Listener,
  signal: AbortSignal,
): Promise<ScenarioResult[]> {
  const conditions = conditionsOf({ quick, rounds, roundMs, warmUpMs }, cluster)
  const bench = { quick, roundMs, warmUpMs, cluster }
  const results: ScenarioResult[] = []
  for (const scenario of SCENARIOS) {
    if (signal.aborted) break
    if (only && !only.includes(scenario.name)) continue
    const result = await runScenario(scenario, { bench, rounds, conditions, peers, contenders, progress })
    if (signal.aborted) break
    measured(result)
    results.push(result)
  }
  return results
}

type Extent = Pick<Conditions, 'quick' | 'rounds' | 'roundMs' | 'warmUpMs'>

function conditionsOf(extent: Extent, cluster: Cluster): Conditions {
  const cores = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const settings = Object.entries(cluster.settings).map(([name, value]) => `${name} ${value}`)
  return {
    ...extent,
    machine: `${cores[0]?.model.trim()}, ${cores.length} cores, ${gigabytes} GB, ${process.platform} ${release()}`,
    postgres: `${cluster.version} (${KINDS[cluster.kind]}; ${settings.join(', ')})`,
    commit: commit(),
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { cwd: import.meta.dirname })
      .toString()
      .trim()
  } catch {
    return 'unknown'
  }
}
