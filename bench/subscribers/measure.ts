import { type Child, startChild, type Usage } from './children.ts'
import type { Delivered, Subscribe } from './clients.ts'
import { nowMs, RUNS, SUBSCRIBERS } from './workload.ts'
import type { Batch } from './writer.ts'

/** One server with its subscribers, from empty to empty. */
export interface Measured {
  /** With as much to deliver at any time as the window lets through. */
  readonly perSecond: number
  /** Of the server process, at saturation. */
  readonly cpuMicrosPerDelivery: number
  /** At half that rate, from just before the write to the arrival. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** How long the writes took that are part of these: where the disk is busy, they make up most of it. */
  readonly writeP99Ms: number
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

export interface Phases {
  readonly warmUpMs: number
  readonly saturatedMs: number
  readonly halfRateMs: number
}

type Publish = (batch: Batch) => Promise<void>

/** A server, and how events come to it: as its own, or as those of another node. */
export interface Contender {
  readonly server: Child
  readonly publish: Publish
  readonly publishElsewhere: Publish
}

/** So many events of each run are on their way at once. */
const WINDOW = 4

/** At half rate, events are written so often, a few runs at a time. */
const TICK_MS = 10

const PATIENCE_MS = 10_000

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The subscribers, and how many events have been published to them and have come. */
class Subscribers {
  private published = 0
  private writes: number[] = []
  private delivered = 0
  private wake: (() => void) | undefined
  private readonly clients = startChild('clients.ts', [])

  constructor() {
    this.clients.onMessage((total) => {
      this.delivered = total
      this.wake?.()
    })
  }

  async subscribe(request: Subscribe): Promise<void> {
    await this.clients.call('subscribe', request)
    // each gets the event that is there already
    this.published = SUBSCRIBERS
    await this.everything()
  }

  async publish(runs: readonly number[], publish: Publish): Promise<void> {
    this.published += (runs.length * SUBSCRIBERS) / RUNS
    const begin = nowMs()
    await publish({ runs, writtenMs: begin })
    this.writes.push(nowMs() - begin)
  }

  /** Keeps so much on its way that the server never waits for more. */
  async saturate(publish: Publish, ms: number): Promise<void> {
    const everyRun = Array.from({ length: RUNS }, (_, i) => i)
    for (const end = performance.now() + ms; performance.now() < end; ) {
      await this.publish(everyRun, publish)
      while (this.delivered < this.published - (WINDOW - 1) * SUBSCRIBERS)
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
    }
  }

  /** Publishes at a steady rate, whether or not it is taken; then waits for all of it. */
  async atRate(publish: Publish, deliveriesPerSecond: number, ms: number): Promise<Delivered> {
    const eventsPerMs = (deliveriesPerSecond / 1_000 / SUBSCRIBERS) * RUNS
    const begin = performance.now()
    for (let written = 0, passed = 0; passed < ms; passed = performance.now() - begin) {
      const due = Math.min(RUNS, Math.floor(passed * eventsPerMs) - written)
      const from = written
      if (due > 0)
        await this.publish(
          Array.from({ length: due }, (_, i) => (from + i) % RUNS),
          publish,
        )
      written += due
      await sleep(TICK_MS)
    }
    await this.everything()
    return this.take()
  }

  /** The last few are not reported; what does not come within seconds is missing. */
  async everything(): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (performance.now() < end && (await this.clients.call<number>('total')) < this.published) await sleep(20)
  }

  take(): Promise<Delivered> {
    return this.clients.call<Delivered>('take')
  }

  /** Of the writes since the last call. */
  writeP99Ms(): number {
    const sorted = this.writes.splice(0).sort((a, b) => a - b)
    return sorted[Math.floor((sorted.length - 1) * 0.99)] ?? Number.NaN
  }

  missing({ total }: Delivered): number {
    return this.published - total
  }

  async leave(): Promise<void> {
    await this.clients.call('leave')
    await sleep(500)
  }

  stop(): Promise<void> {
    return this.clients.stop()
  }
}

/** Measures one server, and ends it. */
export async function measure(
  { server, publish, publishElsewhere }: Contender,
  ids: readonly string[],
  sockets: number,
  { warmUpMs, saturatedMs, halfRateMs }: Phases,
): Promise<Measured> {
  const use = (collect: boolean) => server.call<Usage>('usage', collect)
  const subscribers = new Subscribers()
  const empty = await use(true)
  const url = await server.call<string>('url')
  await subscribers.subscribe({ url, ids, subscribers: SUBSCRIBERS, sockets })
  const full = await use(true)

  await subscribers.saturate(publish, warmUpMs)
  const [before] = await Promise.all([use(false), subscribers.take()])
  const begin = performance.now()
  await subscribers.saturate(publish, saturatedMs)
  const [after, { deliveries }] = await Promise.all([use(false), subscribers.take()])
  const perSecond = (deliveries * 1_000) / (performance.now() - begin)
  await subscribers.everything()
  await subscribers.take()

  subscribers.writeP99Ms()
  const own = await subscribers.atRate(publish, perSecond / 2, halfRateMs)
  const writeP99Ms = subscribers.writeP99Ms()
  const elsewhere = await subscribers.atRate(publishElsewhere, perSecond / 2, halfRateMs)

  await subscribers.leave()
  const left = await use(true)
  await Promise.all([subscribers.stop(), server.stop()])
  return {
    perSecond,
    cpuMicrosPerDelivery: (after.cpuMicros - before.cpuMicros) / deliveries,
    p50Ms: own.p50Ms,
    p99Ms: own.p99Ms,
    writeP99Ms,
    elsewhereP50Ms: elsewhere.p50Ms,
    elsewhereP99Ms: elsewhere.p99Ms,
    heapBytesEach: (full.heap - empty.heap) / SUBSCRIBERS,
    rssBytesEach: (full.rss - empty.rss) / SUBSCRIBERS,
    heapBytesLeft: (left.heap - empty.heap) / SUBSCRIBERS,
    missing: subscribers.missing(elsewhere),
    gaps: elsewhere.gaps,
    duplicates: elsewhere.duplicates,
  }
}
