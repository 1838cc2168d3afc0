import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { client } from '../../src/db/client.ts'
import type { Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'

export const setUp =
  'One queue with `notify` and LISTEN/NOTIFY on; four workers that each fetch up to 512 jobs and, while batches come back full, go on at once (`burstWhenBatchFull`); polling at its lowest, 500 ms. Pool of 32 (default 10). Of six combinations of batch and workers, tried once each, this one was the fastest with a backlog; with one worker, 64 callers that wait were served 14 % faster, and the backlog 15 % slower. It has no call that waits for a result: the caller waits with its in-memory spy, which resolves once the completion is committed; this is faster than polling the job. Backlog: `insert` in chunks of 1,000.'

const QUEUE = 'bench'
const CHUNK = 1_000
const REPLAY_POLL_MS = 5

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: 32, useListenNotify: true, __test__enableSpies: true })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue(QUEUE, { notify: true })
  const spy = boss.getSpy(QUEUE)
  const options = { batchSize: 512, localConcurrency: 4, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  await boss.work(QUEUE, options, async (jobs) => {
    for (const _ of jobs) noop()
  })
  const sql = client(databaseUrl, { max: 1 })
  return {
    calls: {
      async execute() {
        const id = randomUUID()
        await boss.send(QUEUE, PARAMS, { id })
        await spy.waitForJobWithId(id, 'completed')
      },
    },
    async oneKey(id) {
      if (await boss.send(QUEUE, PARAMS, { id })) await spy.waitForJobWithId(id, 'completed')
      else await completed(boss, id)
    },
    backlog: {
      async enqueue(count) {
        for (let left = count; left > 0; left -= CHUNK)
          await boss.insert(
            QUEUE,
            Array.from({ length: Math.min(left, CHUNK) }, () => ({ data: PARAMS })),
          )
      },
      async pending() {
        const [row] = await sql<{ pending: string }[]>`
          select count(*) as pending from pgboss.job where name = ${QUEUE} and state in ('created', 'active', 'retry')`
        return Number(row?.pending)
      },
    },
    async stop() {
      await sql.end()
      await boss.stop({ graceful: false })
    },
  }
}

/** Whoever did not create the job reads it until it is completed. */
async function completed(boss: PgBoss, id: string): Promise<void> {
  for (;;) {
    const [job] = await boss.findJobs(QUEUE, { id })
    if (job?.state === 'completed') return
    await new Promise((resolve) => setTimeout(resolve, REPLAY_POLL_MS))
  }
}
