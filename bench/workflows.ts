/**
 * Measures workflows: `npm run bench:workflows` (or `-- --quick`). The cost of a step must not depend on how large its run is:
 * the figures to read are the ratios, for these machines are shared.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../src/db/embedded/start.ts'
import { startWorkflow } from '../src/executor/commands/start-workflow.ts'
import { type Action, action, type RunningServer, serve, type Workflow, workflow } from '../src/index.ts'
import { compare, median, round } from './measure.ts'

const quick = process.argv.includes('--quick')
const ms = quick ? 2_000 : 5_000

const noop = action('noop', { run: () => null })

/** A builder whose keys are not known to the compiler: for graphs that are made in a loop. */
interface LooseBuilder extends Workflow {
  step(key: string, target: Action, mapper: () => object, options?: { after: string[] }): LooseBuilder
  value(key: string, compute: () => unknown, options?: { after: string[] }): LooseBuilder
}

const loose = (name: string) => workflow(name) as unknown as LooseBuilder
const keys = (n: number) => Array.from({ length: n }, (_, i) => `s${i}`)

const sequence = (n: number): Workflow =>
  keys(n).reduce((w, key) => w.step(key, noop, () => ({})), loose(`sequence-${n}`))

/** A list that a step runs for. */
const list = (n: number): Workflow =>
  workflow(`list-${n}`)
    .forEach(
      'each',
      () => Array.from({ length: n }, (_, i) => i),
      noop,
      (_, i) => ({ i }),
    )
    .value('join', ({ each }) => each.length)

/** As many steps of the graph, between one that is before all and one that is after all. */
const fanOut = (n: number): Workflow =>
  keys(n)
    .reduce(
      (w, key) => w.step(key, noop, () => ({}), { after: ['first'] }),
      loose(`fan-out-${n}`).step('first', noop, () => ({})),
    )
    .value('join', () => 1, { after: keys(n) })

const workflows = [
  sequence(10),
  sequence(100),
  sequence(1_000),
  list(50),
  list(100),
  list(10_000),
  fanOut(100),
  fanOut(5_000),
]

const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }) })
const { host, port, username, database } = postgres.connection
const databaseUrl = `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
const server = await serve({
  actions: [noop],
  workflows,
  databaseUrl,
  port: 0,
  apiKey: 'bench-key-0123456789',
  logLevel: 'error',
  printBanner: false,
  handleSignals: false,
})

console.log('10-step sequences: workflows a second (p50 ms / p99 ms)')
for (const clients of [1, 16, 64]) {
  const figures = await compare([{ name: 'sequence-10', call: () => run(server, 'sequence-10') }], clients, 3, ms)
  for (const one of figures.values())
    console.log(
      `  ${clients} clients  ${one.perSecond.toFixed(0)}/s  (${one.p50Ms.toFixed(1)} / ${one.p99Ms.toFixed(1)})`,
    )
}

console.log('1 -> 50 -> 1: workflows a second')
for (const clients of [1, 16]) {
  const one = await round({ name: 'list-50', call: () => run(server, 'list-50') }, clients, ms)
  console.log(
    `  ${clients} clients  ${one.perSecond.toFixed(1)}/s  (${one.p50Ms.toFixed(1)} / ${one.p99Ms.toFixed(1)})`,
  )
}

console.log('cost of a step: microseconds a step, and the ratio of the large run to the small one')
await ratio('sequence', 'sequence-100', 100, 'sequence-1000', 1_000)
await ratio('list', 'list-100', 100, 'list-10000', 10_000)
await ratio('graph', 'fan-out-100', 101, 'fan-out-5000', 5_001)

console.log('1,000 runs of 10 steps at once')
const before = process.memoryUsage().heapUsed
const begin = performance.now()
await Promise.all(Array.from({ length: 1_000 }, () => run(server, 'sequence-10')))
const seconds = (performance.now() - begin) / 1_000
globalThis.gc?.()
console.log(
  `  ${seconds.toFixed(1)} s, ${(10_000 / seconds).toFixed(0)} steps a second; heap ${mb(process.memoryUsage().heapUsed - before)} more`,
)

await server.stop()
await postgres.stop()
await rm(folder, { recursive: true, force: true })

async function run({ executor }: RunningServer, name: string): Promise<void> {
  const request = { name, definition: undefined, params: {}, idempotencyKey: null, waitMs: 300_000, runAt: null }
  const { run } = await startWorkflow(executor, request, 'bench')
  if (run.status !== 'SUCCEEDED') throw new Error(`${name} ended ${run.status}: ${run.error?.message}`)
}

async function ratio(
  what: string,
  small: string,
  smallSteps: number,
  large: string,
  largeSteps: number,
): Promise<void> {
  const times = { small: [] as number[], large: [] as number[] }
  await run(server, small)
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    const repeat = Math.ceil(largeSteps / smallSteps / 4)
    const start = performance.now()
    for (let k = 0; k < repeat; k++) await run(server, small)
    times.small.push(((performance.now() - start) * 1_000) / (repeat * smallSteps))
    const middle = performance.now()
    await run(server, large)
    times.large.push(((performance.now() - middle) * 1_000) / largeSteps)
  }
  const [a, b] = [median(times.small), median(times.large)]
  console.log(
    `  ${what.padEnd(9)} ${smallSteps} steps: ${a.toFixed(0)} µs; ${largeSteps} steps: ${b.toFixed(0)} µs; ratio ${(b / a).toFixed(2)}`,
  )
}

function mb(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MB`
}
