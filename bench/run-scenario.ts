import { entry } from './catalogue.ts'
import type { Measurement } from './contender.ts'
import type { Contenders } from './contenders.ts'
import { median, spread } from './measure.ts'
import type { CaseResult, Conditions, NotMeasured, Row, ScenarioResult } from './results.ts'
import type { RunningContender } from './running-contender.ts'
import type { Bench, Case, Metric, Scenario } from './scenario.ts'
import { judge } from './targets.ts'

/** A contender in one scenario. */
interface Entrant {
  /** `name` or `name/variant`. */
  readonly id: string
  readonly label: string
  readonly variant: string | undefined
  readonly running: RunningContender
}

interface Course {
  readonly bench: Bench
  readonly rounds: number
  readonly conditions: Conditions
  /** Who may take part: all, without it. */
  readonly peers: readonly string[] | undefined
  readonly contenders: Pick<Contenders, 'running'>
  progress(what: string, detail: string): void
}

/** Measures one scenario: all contenders in turns, so that what else the machine does falls on all of them. */
export async function runScenario(scenario: Scenario, course: Course): Promise<ScenarioResult> {
  const { entrants, notMeasured } = await gather(scenario, course)
  const cases: CaseResult[] = []
  for (const one of scenario.cases(course.bench))
    cases.push(await runCase(scenario, one, entrants, notMeasured, course))
  const { name, title, about, metrics, chart } = scenario
  return {
    name,
    title,
    about,
    measuredAt: new Date().toISOString(),
    conditions: course.conditions,
    metrics,
    ...(chart ? { chart } : {}),
    cases,
    targets: scenario.targets.map((target) => judge(target, cases)),
    notMeasured,
  }
}

/** Starts who takes part, all at once: most of a start is waiting. */
async function gather({ name, contenders, own = {} }: Scenario, { peers, contenders: pool, progress }: Course) {
  const wanted = contenders.filter((id) => !peers || peers.includes(ownName(id)))
  const entrants: Entrant[] = wanted.flatMap((id) => {
    const label = own[id]
    return label === undefined ? [] : { id, label, variant: id, running: NOBODY }
  })
  const notMeasured: NotMeasured[] = []
  const ids = wanted.filter((id) => !(id in own))
  progress(name, 'starting the contenders')
  const started = await Promise.allSettled(ids.map((id) => pool.running(ownName(id))))
  for (const [i, outcome] of started.entries()) {
    const id = ids[i] ?? ''
    const variant = id.split('/')[1]
    const label = variant === undefined ? entry(id).label : `${entry(ownName(id)).label}, ${variant}`
    if (outcome.status === 'fulfilled') entrants.push({ id, label, variant, running: outcome.value })
    else notMeasured.push({ label, reason: reasonOf(outcome.reason) })
  }
  return { entrants, notMeasured }
}

/** In the place of whom the scenario measures by itself. */
const NOBODY: RunningContender = {
  setUp: '',
  url: undefined,
  ask: () => Promise.reject(new Error('is measured by its scenario')),
  stop: async () => {},
}

function ownName(id: string): string {
  return id.split('/')[0] ?? id
}

/** A contender that is as slow as this in one case is not measured again in it. */
const BUDGET_MS = { quick: 4_000, full: 60_000 }

async function runCase(
  { name, metrics }: Scenario,
  one: Case,
  entrants: readonly Entrant[],
  notMeasured: NotMeasured[],
  { bench, rounds, progress }: Course,
): Promise<CaseResult> {
  const measured = new Map<Entrant, Measurement[]>(entrants.map((entrant) => [entrant, []]))
  const spent = new Map<Entrant, number>()
  const attempt = async (entrant: Entrant, work: () => Promise<unknown>) => {
    const begin = performance.now()
    try {
      await work()
      spent.set(entrant, (spent.get(entrant) ?? 0) + performance.now() - begin)
    } catch (error) {
      measured.delete(entrant)
      notMeasured.push({ label: `${entrant.label}, ${one.label}`, reason: reasonOf(error) })
    }
  }
  if (!one.withoutCheckpoint) await bench.cluster.checkpoint()
  for (const entrant of entrants) {
    progress(`${name}, ${one.label}`, `warming up ${entrant.label}`)
    await attempt(entrant, () => one.warmUp(entrant.running, entrant.variant))
  }
  spent.clear()
  for (let round = 1; round <= rounds; round++)
    for (const [entrant, taken] of measured) {
      if ((spent.get(entrant) ?? 0) > (bench.quick ? BUDGET_MS.quick : BUDGET_MS.full)) continue
      progress(`${name}, ${one.label}`, `round ${round} of ${rounds}, ${entrant.label}`)
      await attempt(entrant, async () => taken.push(await one.measure(entrant.running, entrant.variant)))
    }
  await one.close?.()
  return { label: one.label, rows: [...measured].map(([entrant, taken]) => row(entrant, taken, metrics)) }
}

function row({ id, label }: Entrant, rounds: readonly Measurement[], metrics: readonly Metric[]): Row {
  const of = (key: string) => rounds.map((round) => round[key] ?? Number.NaN)
  const medians = Object.fromEntries(metrics.map(({ key }) => [key, rounded(median(of(key)))]))
  const kept = rounds.map((round) =>
    Object.fromEntries(metrics.map(({ key }) => [key, rounded(round[key] ?? Number.NaN)])),
  )
  return { contender: id, label, median: medians, spread: rounded(spread(of(metrics[0]?.key ?? ''))), rounds: kept }
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
