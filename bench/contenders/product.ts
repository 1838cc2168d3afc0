import { randomUUID } from 'node:crypto'
import { client } from '../../src/db/client.ts'
import { executeAction } from '../../src/executor/commands/execute-action.ts'
import { executeActions } from '../../src/executor/commands/execute-actions.ts'
import { startWorkflow } from '../../src/executor/commands/start-workflow.ts'
import { action, type RunningServer, serve } from '../../src/index.ts'
import { BENCH_KEY } from '../bench-key.ts'
import type { Backlog, Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'
import { WORKFLOWS } from './product-workflows.ts'

export const setUp =
  'The whole server, from this checkout, with its defaults but for a concurrency of 1,000. Attempts, events, leases and streams are on.'

/** As many as one `executeActions` takes. */
const CHUNK = 1_000

const silent = action('noop', { run: noop })

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  const server = await serve({
    actions: [silent],
    workflows: WORKFLOWS(silent),
    databaseUrl,
    port: 0,
    apiKey: BENCH_KEY,
    logLevel: 'error',
    concurrency: 1_000,
    printBanner: false,
    handleSignals: false,
  })
  const sql = client(databaseUrl, { max: 1 })
  const workflows = WORKFLOWS(silent).map(({ name }) => [name, () => runWorkflow(server, name)] as const)
  return {
    calls: { execute: () => execute(server, randomUUID()), ...Object.fromEntries(workflows) },
    oneKey: (key) => execute(server, key),
    backlog: backlog(server, async () => {
      const [row] = await sql<{ pending: string }[]>`
        select count(*) as pending from action_do.runs where status not in ('SUCCEEDED', 'FAILED', 'CANCELED')`
      return Number(row?.pending)
    }),
    url: server.url,
    stop: async () => {
      await sql.end()
      await server.stop()
    },
  }
}

/** Execute and wait, in the process of the server. */
async function execute({ executor }: RunningServer, idempotencyKey: string): Promise<void> {
  const request = { name: 'noop', params: PARAMS, waitMs: 30_000, runAt: null, priority: 0, idempotencyKey }
  const { run } = await executeAction(executor, request, 'bench')
  if (run.status !== 'SUCCEEDED' || run.attempt !== 1) throw new Error(`a run ended ${run.status} after ${run.attempt}`)
}

async function runWorkflow({ executor }: RunningServer, name: string): Promise<void> {
  const request = { name, definition: undefined, params: PARAMS, waitMs: 300_000, runAt: null }
  const { run } = await startWorkflow(executor, { ...request, idempotencyKey: randomUUID() }, 'bench')
  if (run.status !== 'SUCCEEDED') throw new Error(`${name} ended ${run.status}: ${run.error?.message}`)
}

/** What the mutation `executeActions` calls, one after the other. */
function backlog({ executor }: RunningServer, pending: Backlog['pending']): Backlog {
  const request = { name: 'noop', params: PARAMS, runAt: null, priority: 0 }
  const one = () => ({ ...request, idempotencyKey: randomUUID() })
  return {
    async enqueue(count) {
      for (let left = count; left > 0; left -= CHUNK) {
        const requests = Array.from({ length: Math.min(left, CHUNK) }, one)
        const refused = (await executeActions(executor, requests, 'bench')).find((outcome) => outcome instanceof Error)
        if (refused) throw refused
      }
    },
    pending,
  }
}
