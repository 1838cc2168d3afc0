import { randomUUID } from 'node:crypto'
import { executeAction } from '../src/executor/commands/execute-action.ts'
import { action, type RunningServer, serve } from '../src/index.ts'
import { PARAMS } from './baselines.ts'
import type { Contender } from './measure.ts'

export const BENCH_KEY = 'a-key-for-benchmarks'

/** The server with one action that does nothing, the full record kept. */
export function startProduct(databaseUrl: string): Promise<RunningServer> {
  const noop = action('noop', { run: () => ({ ok: true }) })
  const options = { port: 0, apiKey: BENCH_KEY, logLevel: 'warn', concurrency: 1_000, printBanner: false }
  return serve({ actions: [noop], databaseUrl, ...options })
}

/** Execute and wait, in the process of the server: a new key each. */
export function inProcess({ executor }: RunningServer): Contender {
  const rest = { name: 'noop', params: PARAMS, waitMs: 30_000, runAt: null, priority: 0 }
  return {
    name: 'action.do, in process',
    async call() {
      const { run } = await executeAction(executor, { ...rest, idempotencyKey: randomUUID() }, 'bench')
      if (run.status !== 'SUCCEEDED') throw new Error(`a run ended ${run.status}`)
    },
  }
}

/** Every call with one and the same key: one execution, the rest replays. */
export function oneKey({ executor }: RunningServer): Contender {
  const request = { name: 'noop', params: PARAMS, waitMs: 30_000, runAt: null, priority: 0 }
  const idempotencyKey = randomUUID()
  return {
    name: 'action.do, one key',
    async call() {
      const { run } = await executeAction(executor, { ...request, idempotencyKey }, 'bench')
      if (run.status !== 'SUCCEEDED' || run.attempt !== 1) throw new Error('not one execution')
    },
  }
}
