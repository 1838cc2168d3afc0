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
  /** At half that rate, from just before the write to the arrival. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** The same for events that another node commits, of which there is a hint every 50 ms. */
  readonly elsewhereP50Ms: number
  readonly elsewhereP99Ms: number
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

const QUICK: Phases = { warmUpMs: 1_000, saturatedMs: 2_000, halfRateMs: 1_500, rounds: 1 }
const FULL: Phases = { warmUpMs: 2_000, saturatedMs: 4_000, halfRateMs: 4_000, rounds: 3 }

/** So many events of each run are on their way at once. */
const WINDOW = 4

/** At half rate, events are written so often, a few runs at a time. */
const TICK_MS = 10

const PATIENCE_MS = 10_000

const EVERY_RUN = Array.from({ length: RUNS }, (_, i) => i)

/** A server, and how events come to it: as its own, or as those of another node. */
interface Contender {
  readonly server: Child
  publish(batch: Batch): Promise<void>
  publishElsewhere(batch: Batch): Promise<void>
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

async function measure(
  { server, publish, publishElsewhere }: Contender,
  ids: readonly string[],
  sockets: number,
  phases: Phases,
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
  const writeBy = (way: Contender['publish']) => async (runs: readonly number[]) => {
    published += (runs.length * SUBSCRIBERS) / RUNS
    await way({ runs, writtenMs: nowMs() })
  }
  const write = writeBy(publish)
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
  await atRate(perSecond / 2, phases.halfRateMs, write)
  await everything()
  const own = await clients.call<Delivered>('take')
  await atRate(perSecond / 2, phases.halfRateMs, writeBy(publishElsewhere))
  await everything()
  const elsewhere = await clients.call<Delivered>('take')

  await clients.call('leave')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const left = await use(true)
  await clients.stop()
  await server.stop()
  return {
    perSecond,
    cpuMicrosPerDelivery: (after.cpuMicros - before.cpuMicros) / saturated.deliveries,
    p50Ms: own.p50Ms,
    p99Ms: own.p99Ms,
    elsewhereP50Ms: elsewhere.p50Ms,
    elsewhereP99Ms: elsewhere.p99Ms,
    heapBytesEach: (full.heap - empty.heap) / SUBSCRIBERS,
    rssBytesEach: (full.rss - empty.rss) / SUBSCRIBERS,
    heapBytesLeft: (left.heap - empty.heap) / SUBSCRIBERS,
    missing: published - elsewhere.total,
    gaps: elsewhere.gaps,
    duplicates: elsewhere.duplicates,
  }
}

/** Writes events at a steady rate, whether or not they are taken. */
async function atRate(
  deliveriesPerSecond: number,
  ms: number,
  write: (runs: number[]) => Promise<void>,
): Promise<void> {
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
    const latency = `at half rate p50 ${one.p50Ms.toFixed(1)}, p99 ${one.p99Ms.toFixed(1)} ms`
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
