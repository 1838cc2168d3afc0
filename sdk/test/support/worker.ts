import { expect, onTestFinished, vi } from 'vitest'
import { type AnySchemas, Worker, type WorkerOptions } from '../../src/worker/index.ts'
import { WorkerServer } from './worker-server.ts'

interface Told {
  readonly error: unknown
  readonly phase: string
  readonly runId?: string
}

/** A worker and a server on a clock that only the test moves. */
export interface Stage {
  readonly server: WorkerServer
  readonly worker: Worker
  readonly told: Told[]
}

/** Sets the stage. After the test the worker is stopped, and the server must have seen no breach of the contract. */
export function stage<PS = AnySchemas, RS = AnySchemas>(options: WorkerOptions<PS, RS>): Stage {
  vi.useFakeTimers()
  // full jitter: as long as it gets
  vi.spyOn(Math, 'random').mockReturnValue(1)
  const server = new WorkerServer()
  const told: Told[] = []
  const worker = new Worker<PS, RS>({
    ...options,
    fetch: server.fetch,
    onError: (error, about) => told.push({ error, ...about }),
  })
  onTestFinished(async () => {
    server.down = false
    const stopped = worker.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    await stopped
    vi.useRealTimers()
    vi.restoreAllMocks()
    expect(server.violations).toEqual([])
  })
  return { server, worker, told }
}

/** The same, with a worker that has begun. */
export async function started<PS = AnySchemas, RS = AnySchemas>(options: WorkerOptions<PS, RS>): Promise<Stage> {
  const set = stage(options)
  const start = set.worker.start()
  await pass()
  await start
  return set
}

/** Lets so much time pass, and all that is to happen in it. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  // what needs no time needs turns
  for (let turn = 0; turn < 20; turn++) await vi.advanceTimersByTimeAsync(0)
}

/** A function that ends when the test says so. */
export function gate<T = unknown>(): { open: (value?: T) => void; fail: (error: unknown) => void; opened: Promise<T> } {
  let open: (value?: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve as (value?: T) => void
    fail = reject
  })
  opened.catch(() => {})
  return { open, fail, opened }
}

/** An action that keeps what it was given. */
export function kept() {
  const contexts: { signal: AbortSignal; heartbeat: (progress: unknown) => void; lastHeartbeat: unknown }[] = []
  const ends = gate()
  const run = (context: (typeof contexts)[number]): Promise<unknown> => {
    contexts.push(context)
    return ends.opened
  }
  return { contexts, ends, action: { run } }
}

/** What a promise has come to, without waiting for it. */
export function outcome(promise: Promise<unknown>): { value?: string; error?: unknown } {
  const seen: { value?: string; error?: unknown } = {}
  promise.then(
    () => Object.assign(seen, { value: 'done' }),
    (error) => Object.assign(seen, { error }),
  )
  return seen
}
