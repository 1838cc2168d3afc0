/**
 * A server in a process of its own, whose handlers hold on until it stops: how much its heap has with so many runs in the queue.
 * Argument: the database's URL.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { action, serve } from '../src/index.ts'
import { BENCH_KEY } from './bench-key.ts'
import { PARAMS } from './noop.ts'
import { answerCalls, usage } from './subscribers/children.ts'

const CONCURRENCY = 100
/** Long enough for several polls. */
const LOOK_MS = 3_000

const [databaseUrl = ''] = process.argv.slice(2)
let release = () => {}
const released = new Promise<void>((resolve) => {
  release = resolve
})
const server = await serve({
  actions: [action('held', { run: () => released })],
  databaseUrl,
  concurrency: CONCURRENCY,
  port: 0,
  apiKey: BENCH_KEY,
  logLevel: 'warn',
  printBanner: false,
  handleSignals: false,
})

/** Queues runs, lets the server find what it has room for, and measures what it holds: bytes. */
async function heapWith(more: number): Promise<number> {
  await server.executor.db.reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation,
      attempt, failures, losses, probe, fence, available_at, last_seq, created_at)
    select ('x' || right(id::text, 3))::bit(12)::int & 1023, id, 'ACTION', 'held', '1', 'idempotent', id, '',
      ${JSON.stringify(PARAMS)}::text::json, 'QUEUED', 0, 1, 0, 0, 0, false, 0, now(), 0, now()
    from generate_series(1, ${more}::int) n cross join lateral (select gen_random_uuid() as id where n > 0) i`
  server.executor.lookAtEverything()
  await sleep(LOOK_MS)
  return usage(true).heap
}

answerCalls({ heapWith }, async () => {
  release()
  await server.stop()
})
