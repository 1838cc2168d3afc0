import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Logger, makeWorkerUtils, run, type WorkerEvents } from 'graphile-worker'
import { client } from '../../src/db/client.ts'
import type { Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'

export const setUp =
  'As its page on performance advises: 24 concurrent jobs, a pool of 25, a local queue of 500, completions in batches (`completeJobBatchDelay: 0`). It stores no result and deletes the row: the caller waits in memory until the handler has returned, not until that is committed, and there is nobody to ask later. Backlog: `addJobs` in chunks of 1,000.'

const CHUNK = 1_000

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  const waiting = new Map<string, () => void>()
  const logger = new Logger(() => () => {})
  const events: WorkerEvents = new EventEmitter()
  events.setMaxListeners(0)
  const preset = {
    worker: {
      connectionString: databaseUrl,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      logger,
      events,
    },
  }
  events.on('job:complete', ({ job }) => {
    const { key } = job.payload as { key: string }
    waiting.get(key)?.()
    waiting.delete(key)
  })
  const utils = await makeWorkerUtils({ preset })
  await utils.migrate()
  const taskList = { noop: async () => void noop() }
  const runner = await run({ preset, taskList, noHandleSignals: true })
  const sql = client(databaseUrl, { max: 1 })
  return {
    calls: {
      async execute() {
        const key = randomUUID()
        const done = new Promise<void>((resolve) => waiting.set(key, resolve))
        await utils.addJob('noop', { key, ...PARAMS })
        await done
      },
    },
    backlog: {
      async enqueue(count) {
        const job = () => ({ identifier: 'noop', payload: { key: randomUUID(), ...PARAMS } })
        for (let left = count; left > 0; left -= CHUNK)
          await utils.addJobs(Array.from({ length: Math.min(left, CHUNK) }, job))
      },
      async pending() {
        const [row] = await sql<{ pending: string }[]>`select count(*) as pending from graphile_worker.jobs`
        return Number(row?.pending)
      },
    },
    async stop() {
      await sql.end()
      await runner.stop()
      await utils.release()
    },
  }
}
