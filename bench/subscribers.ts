/**
 * Measures the event streams: 5,000 subscribers of 500 busy runs, against bare graphql-ws over graphql-js that delivers the same
 * payloads from memory: `npm run bench:subscribers` (or `-- --quick`). Each server, and the subscribers, have a process of
 * their own; the events are written by this one. These machines are shared: read the ratios.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../src/db/embedded/start.ts'
import { median } from './measure.ts'
import { startChild } from './subscribers/children.ts'
import { type Measured, measure, type Phases } from './subscribers/measure.ts'
import { RUNS, SUBSCRIBERS } from './subscribers/workload.ts'
import { type Batch, startWriter } from './subscribers/writer.ts'

export interface SubscriberFigures {
  readonly sockets: number
  readonly product: Measured
  readonly baseline: Measured
}

export const QUICK: Phases = { warmUpMs: 1_000, saturatedMs: 2_000, halfRateMs: 1_500, rounds: 1 }
export const FULL: Phases = { warmUpMs: 2_000, saturatedMs: 4_000, halfRateMs: 4_000, rounds: 3 }

/**
 * The product and the baseline in turns, with one socket for each subscriber or with fewer that are shared.
 * @param flags of node for the server processes.
 */
export async function measureSubscribers(
  databaseUrl: string,
  sockets: number,
  phases: Phases,
  flags: readonly string[] = [],
): Promise<SubscriberFigures> {
  const rounds: { product: Measured; baseline: Measured }[] = []
  for (let i = 0; i < phases.rounds; i++) {
    const own = startChild('product-server.ts', [databaseUrl], flags)
    // it has migrated the database once it listens
    await own.call('url')
    const writer = await startWriter(databaseUrl, RUNS)
    const published = {
      publish: async (batch: Batch) => own.call<void>('announce', await writer.write(batch)),
      publishElsewhere: async (batch: Batch) => writer.hint(await writer.write(batch)),
    }
    const product = await measure({ server: own, ...published }, writer.ids, sockets, phases)
    await writer.stop()
    const bare = startChild('baseline-server.ts', [JSON.stringify(writer.ids)], flags)
    const publish = (batch: Batch) => bare.call<void>('publish', batch)
    const baseline = { server: bare, publish, publishElsewhere: publish }
    rounds.push({ product, baseline: await measure(baseline, writer.ids, sockets, phases) })
  }
  const product = medians(rounds.map((round) => round.product))
  return { sockets, product, baseline: medians(rounds.map((round) => round.baseline)) }
}

const NONE: ReadonlySet<keyof Measured> = new Set(['missing', 'gaps', 'duplicates'])

function medians(all: readonly Measured[]): Measured {
  const names = Object.keys(all[0]!) as (keyof Measured)[]
  const of = (name: keyof Measured) => {
    const values = all.map((one) => one[name])
    // one round with a gap is too many
    return NONE.has(name) ? Math.max(...values) : median(values)
  }
  return Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as Measured
}

function show({ sockets, product, baseline }: SubscriberFigures): void {
  console.log(`${SUBSCRIBERS} subscribers of ${RUNS} busy runs over ${sockets} sockets`)
  for (const [name, one] of Object.entries({ product, baseline })) {
    const kb = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KB`
    const rate = `${Math.round(one.perSecond)} deliveries/s at ${one.cpuMicrosPerDelivery.toFixed(1)} µs of processor each`
    const latency = `at half rate p50 ${one.p50Ms.toFixed(1)}, p99 ${one.p99Ms.toFixed(1)} ms, writes ${one.writeP99Ms.toFixed(1)}`
    const elsewhere = `from another node ${one.elsewhereP50Ms.toFixed(1)}, ${one.elsewhereP99Ms.toFixed(1)} ms`
    const memory = `heap ${kb(one.heapBytesEach)}, rss ${kb(one.rssBytesEach)} each, ${kb(one.heapBytesLeft)} left`
    console.log(
      `  ${name.padEnd(9)} ${rate}; ${latency} (${elsewhere}); ${memory}; ${one.missing} missing, ${one.gaps} gaps, ${one.duplicates} duplicates`,
    )
  }
  console.log(`    → ${(product.perSecond / baseline.perSecond).toFixed(2)} × the deliveries of bare graphql-ws`)
}

if (process.argv[1] === import.meta.filename) {
  const quick = process.argv.includes('--quick')
  // as browsers have them, and as a server that passes events on has
  const sockets = quick ? [SUBSCRIBERS] : [SUBSCRIBERS, 50]
  const flags = process.argv.includes('--cpu-prof') ? ['--cpu-prof', `--cpu-prof-dir=${tmpdir()}`] : []
  const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }) })
  const { host, port, username, database } = postgres.connection
  const url = `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  try {
    for (const count of sockets) show(await measureSubscribers(url, count, quick ? QUICK : FULL, flags))
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
