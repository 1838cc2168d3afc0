import { setTimeout as sleep } from 'node:timers/promises'
import type { Backlog, Measurement } from './contender.ts'
import { executions } from './noop.ts'

const POLL_MS = 5
/** A contender that stops working is given up. */
const BACKLOG_TIMEOUT_MS = 300_000

/** Keeps `clients` calls in flight for `ms`: how many came back a second, and how long they took. */
export async function round(call: () => PromiseLike<unknown>, clients: number, ms: number): Promise<Measurement> {
  const until = performance.now() + ms
  return inFlight(call, clients, () => performance.now() < until)
}

/** Makes `calls` calls, `clients` at a time. */
export async function times(call: () => PromiseLike<unknown>, calls: number, clients: number): Promise<Measurement> {
  let left = calls
  return inFlight(call, clients, () => left-- > 0)
}

/** As many calls with one key: the handler must be executed once. */
export async function oneKey(call: () => PromiseLike<unknown>, calls: number, clients: number): Promise<Measurement> {
  const before = executions()
  const measured = await times(call, calls, clients)
  return { ...measured, executions: executions() - before }
}

/** Queues `count` actions while nobody waits for them, until the last of them has ended. */
export async function backlog({ enqueue, pending }: Backlog, count: number): Promise<Measurement> {
  const [before, begin] = [executions(), performance.now()]
  await enqueue(count)
  const enqueued = performance.now()
  while (executions() - before < count) {
    if (performance.now() - begin > BACKLOG_TIMEOUT_MS)
      throw new Error(`${executions() - before} of ${count} were executed, then none`)
    await sleep(POLL_MS)
  }
  while ((await pending()) > 0) await sleep(POLL_MS)
  const seconds = (performance.now() - begin) / 1_000
  return { perSecond: count / seconds, enqueuedPerSecond: count / ((enqueued - begin) / 1_000) }
}

async function inFlight(call: () => PromiseLike<unknown>, clients: number, more: () => boolean): Promise<Measurement> {
  const latencies: number[] = []
  const begin = performance.now()
  const client = async () => {
    for (let start = begin; more(); ) {
      start = performance.now()
      await call()
      latencies.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - begin) / 1_000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), calls: latencies.length }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

/** (highest - lowest) / median: a wide one says that the machine was noisy. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}
