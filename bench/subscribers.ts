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
import { type Child, startChild, type Usage } from './subscribers/children.ts'
import type { Delivered, Subscribe } from './subscribers/clients.ts'
import { nowMs, RUNS, SUBSCRIBERS } from './subscribers/workload.ts'
import { type Batch, startWriter } from './subscribers/writer.ts'

/** One server with its subscribers, from empty to empty. */
export interface Measured {
  /** With as much to deliver at any time as the window lets through. */
  readonly perSecond: number
  /** Of the server process, at saturation. */
  readonly cpuMicrosPerDelivery: number
  /** At half the saturated rate of the product, from just before the write to the arrival. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly heapBytesEach: number
  readonly rssBytesEach: number
  /** What is left when all have gone, by subscriber. */
  readonly heapBytesLeft: number
  /** Over all phases; none may be. */
  readonly missing: number
  readonly gaps: number
  readonly duplicates: number
}

export interface SubscriberFigures {
  readonly sockets: number
  readonly product: Measured
  readonly baseline: Measured
}

interface Phases {
  readonly warmUpMs: number
  readonly saturatedMs: number
  readonly halfRateMs: number
  readonly rounds: number
}

const QUICK: Phases = { warmUpMs: 1_000, saturatedMs: 2_000, halfRateMs: 2_000, rounds: 1 }
const FULL: Phases = { warmUpMs: 2_000, saturatedMs: 5_000, halfRateMs: 5_000, rounds: 3 }

/** So many events of each run are on their way at once. */
const WINDOW = 4

/** At half rate, events are written so often, a few runs at a time. */
const TICK_MS = 10

const PATIENCE_MS = 10_000

const EVERY_RUN = Array.from({ length: RUNS }, (_, i) => i)

/** Where to write events, and the server that delivers them. */
interface Contender {
  readonly server: Child
  publish(batch: Batch): Promise<void>
}

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
    const product = await measure({ server: own, publish: writer.publish }, writer.ids, sockets, phases)
    await writer.stop()
    const bare = startChild('baseline-server.ts', [JSON.stringify(writer.ids)], flags)
    const publish = (batch: Batch) => bare.call<void>('publish', batch)
    const atRate = { ...phases, halfRate: product.perSecond / 2 }
    rounds.push({ product, baseline: await measure({ server: bare, publish }, writer.ids, sockets, atRate) })
  }
  const product = medians(rounds.map((round) => round.product))
  return { sockets, product, baseline: medians(rounds.map((round) => round.baseline)) }
}

/** @param phases `halfRate`: another rate, in deliveries a second, than half of what was measured. */
async function measure(
  { server, publish }: Contender,
  ids: readonly string[],
  sockets: number,
  phases: Phases & { halfRate?: number },
): Promise<Measured> {
  const clients = startChild('clients.ts', [])
  let delivered = 0
  const waiting = new Set<() => void>()
  clients.onMessage((total) => {
    delivered = total
    for (const wake of waiting) wake()
  })
  const until = (deliveries: number) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (delivered < deliveries) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  // the last few are not reported; what does not come within seconds is missing
  const everything = async () => {
    const end = performance.now() + PATIENCE_MS
    while (performance.now() < end && (await clients.call<number>('total')) < published)
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const use = (collect = false) => server.call<Usage>('usage', collect)

  let published = 0
  const write = async (runs: readonly number[]) => {
    published += (runs.length * SUBSCRIBERS) / RUNS
    await publish({ runs, writtenMs: nowMs() })
  }
  const saturate = async (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end) {
      await write(EVERY_RUN)
      await until(published - (WINDOW - 1) * SUBSCRIBERS)
    }
  }

  const empty = await use(true)
  const url = await server.call<string>('url')
  await clients.call('subscribe', { url, ids, subscribers: SUBSCRIBERS, sockets } satisfies Subscribe)
  published = SUBSCRIBERS
  await everything()
  const full = await use(true)

  await saturate(phases.warmUpMs)
  await clients.call('take')
  const before = await use()
  const begin = performance.now()
  await saturate(phases.saturatedMs)
  const seconds = (performance.now() - begin) / 1_000
  const saturated = await clients.call<Delivered>('take')
  const after = await use()
  await everything()
  await clients.call('take')

  const perSecond = saturated.deliveries / seconds
  const half = phases.halfRate ?? perSecond / 2
  await atRate(half, phases.halfRateMs, write)
  await everything()
  const calm = await clients.call<Delivered>('take')

  await clients.call('leave')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const left = await use(true)
  await clients.stop()
  await server.stop()
  return {
    perSecond,
    cpuMicrosPerDelivery: (after.cpuMicros - before.cpuMicros) / saturated.deliveries,
    p50Ms: calm.p50Ms,
    p99Ms: calm.p99Ms,
    heapBytesEach: (full.heap - empty.heap) / SUBSCRIBERS,
    rssBytesEach: (full.rss - empty.rss) / SUBSCRIBERS,
    heapBytesLeft: (left.heap - empty.heap) / SUBSCRIBERS,
    missing: published - calm.total,
    gaps: calm.gaps,
    duplicates: calm.duplicates,
  }
}

/** Writes events at a steady rate, whether or not they are taken. */
async function atRate(deliveriesPerSecond: number, ms: number, write: (runs: number[]) => Promise<void>): Promise<void> {
  const eventsPerMs = (deliveriesPerSecond / 1_000 / SUBSCRIBERS) * RUNS
  const begin = performance.now()
  let written = 0
  for (;;) {
    const passed = performance.now() - begin
    if (passed > ms) return
    const due = Math.min(RUNS, Math.floor(passed * eventsPerMs) - written)
    if (due > 0) await write(Array.from({ length: due }, (_, i) => (written + i) % RUNS))
    written += Math.max(0, due)
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
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
    const latency = `p50 ${one.p50Ms.toFixed(1)} ms, p99 ${one.p99Ms.toFixed(1)} ms at half rate`
    const memory = `heap ${kb(one.heapBytesEach)}, rss ${kb(one.rssBytesEach)} each, ${kb(one.heapBytesLeft)} left`
    console.log(`  ${name.padEnd(9)} ${rate}; ${latency}; ${memory}; ${one.missing} missing, ${one.gaps} gaps, ${one.duplicates} duplicates`)
  }
  console.log(`    → ${(product.perSecond / baseline.perSecond).toFixed(2)} × the deliveries of bare graphql-ws`)
}

if (process.argv[1] === import.meta.filename) {
  const phases = process.argv.includes('--quick') ? QUICK : FULL
  const flags = process.argv.includes('--cpu-prof') ? ['--cpu-prof', '--cpu-prof-dir=bench/tmp'] : []
  const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }) })
  const { host, port, username, database } = postgres.connection
  const url = `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  try {
    for (const sockets of [SUBSCRIBERS, 50]) show(await measureSubscribers(url, sockets, phases, flags))
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
