import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { DBOS } from '@dbos-inc/dbos-sdk'
import { client } from '../../src/db/client.ts'
import type { Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'

export const setUp =
  'In the process of the caller, as the documentation shows it: `startWorkflow` with a workflow ID, then `getResult`, which resolves in memory. A workflow of one step; "no step" is a workflow that does the work itself. System database pool of 20, the fastest of 10 (the default), 20, 32 and 64, tried once each; no tracing, log level error. Fan-out: 50 steps in `Promise.all`. Queue: `registerQueue` without limits, polled every 100 ms (default 1,000). Over HTTP: behind a bare `node:http` endpoint.'

const POOL = 20
/** As many enqueuing calls at a time: there is no call that enqueues many. */
const ENQUEUERS = 64

const step = async () => noop()
const one = DBOS.registerWorkflow((_: typeof PARAMS) => DBOS.runStep(step, { name: 'noop' }), { name: 'one' })
const none = DBOS.registerWorkflow(async (_: typeof PARAMS) => noop(), { name: 'none' })
const ten = DBOS.registerWorkflow(
  async (_: typeof PARAMS) => {
    for (let i = 0; i < 10; i++) await DBOS.runStep(step, { name: `s${i}` })
  },
  { name: 'ten' },
)
const fanOut = DBOS.registerWorkflow(
  async (_: typeof PARAMS) => {
    await DBOS.runStep(step, { name: 'first' })
    await Promise.all(Array.from({ length: 50 }, () => DBOS.runStep(step, { name: 'each' })))
    await DBOS.runStep(step, { name: 'last' })
  },
  { name: 'fan-out' },
)

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: POOL,
    logLevel: 'error',
    enableOTLP: false,
  })
  await DBOS.launch()
  await DBOS.registerQueue('bench', { minPollingIntervalMs: 100 })
  const sql = client(databaseUrl, { max: 1 })
  const http = await serveHttp()
  return {
    calls: {
      execute: () => run(one, randomUUID()),
      'execute, no step': () => run(none, randomUUID()),
      sequence: () => run(ten, randomUUID()),
      'fan-out': () => run(fanOut, randomUUID()),
    },
    oneKey: (key) => run(one, key),
    backlog: {
      enqueue,
      async pending() {
        const [row] = await sql<{ pending: string }[]>`
          select count(*) as pending from dbos.workflow_status where status in ('ENQUEUED', 'PENDING')`
        return Number(row?.pending)
      },
    },
    url: http.url,
    async stop() {
      http.close()
      await sql.end()
      await DBOS.shutdown()
    },
  }
}

async function run(workflow: (params: typeof PARAMS) => Promise<unknown>, workflowID: string): Promise<unknown> {
  const handle = await DBOS.startWorkflow(workflow, { workflowID })(PARAMS)
  return handle.getResult()
}

async function enqueue(count: number): Promise<void> {
  let left = count
  const enqueuer = async () => {
    while (left-- > 0) await DBOS.startWorkflow(one, { workflowID: randomUUID(), queueName: 'bench' })(PARAMS)
  }
  await Promise.all(Array.from({ length: ENQUEUERS }, enqueuer))
}

/** POST {key, params} answers with the result. */
async function serveHttp(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { key } = (await json(request)) as { key: string }
    const body = JSON.stringify({ result: await run(one, key) })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() }
}
