/**
 * What a queue costs in memory: `npm run bench:queue-memory`. A server that executes 100 runs at once, with as many queued, and with 100,000:
 * its heap must be bounded by what it executes, not by what waits.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { action, serve } from '../src/index.ts'
import { openCluster } from './cluster.ts'
import { PARAMS } from './noop.ts'

const [FEW, MANY, CONCURRENCY] = [200, 100_000, 100]
/** Long enough for several polls. */
const LOOK_MS = 5_000

const folder = await mkdtemp(join(tmpdir(), 'action-do-queue-'))
const cluster = await openCluster(folder)
const databaseUrl = await cluster.createDatabase('queue')
let release = () => {}
const released = new Promise<void>((resolve) => {
  release = resolve
})
const held = action('held', { run: () => released })
const options = { port: 0, apiKey: 'a-key-for-benchmarks', logLevel: 'warn', printBanner: false, handleSignals: false }
const server = await serve({ actions: [held], databaseUrl, concurrency: CONCURRENCY, ...options })

const few = await heapWith(FEW)
const many = await heapWith(MANY - FEW)
console.log(`heap with ${FEW} queued: ${mb(few)}; with ${MANY}: ${mb(many)}`)
console.log(`  → ${mb(many - few)} more for ${MANY - FEW} more that wait`)
release()
await server.stop()
await cluster.stop()
await rm(folder, { recursive: true, force: true })
process.exit(0)

/** Queues runs, lets the server find what it has room for, and measures what it holds. */
async function heapWith(queued: number): Promise<number> {
  await server.executor.db.reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority, generation,
      attempt, failures, losses, probe, fence, available_at, last_seq, created_at)
    select ('x' || right(id::text, 3))::bit(12)::int & 1023, id, 'ACTION', 'held', '1', 'idempotent', id, '',
      ${JSON.stringify(PARAMS)}::text::json, 'QUEUED', 0, 1, 0, 0, 0, false, 0, now(), 0, now()
    from generate_series(1, ${queued}::int) n cross join lateral (select gen_random_uuid() as id where n > 0) i`
  server.executor.lookAtEverything()
  await sleep(LOOK_MS)
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function mb(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}
