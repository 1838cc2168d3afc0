/**
 * Measures actions that something else executes against the same function in the process, in one run, in turns: services that are
 * called over HTTP, and a remote worker that pulls. `npm run bench:services`. Read the ratios, not the absolute figures.
 */
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../src/db/embedded/start.ts'
import { executeAction } from '../src/executor/commands/execute-action.ts'
import { HttpCalls } from '../src/http-action/http-calls.ts'
import { action, httpAction, type RunningServer, serve } from '../src/index.ts'
import { BENCH_KEY } from './bench-key.ts'
import { median, round, spread } from './measure.ts'
import { PARAMS } from './noop.ts'

interface Contender {
  readonly name: string
  call(): Promise<void>
  stop?(): Promise<void>
}

interface Figures {
  readonly perSecond: number
  readonly spread: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const ms = process.argv.includes('--quick') ? 1_000 : 3_000
const secret = `whsec_${randomBytes(32).toString('base64')}`
const allow = ['127.0.0.1']

const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }) })
const { host, port, username, database } = postgres.connection
const service = await startProcess<{ bare: string; handler: string }>('http-service.ts', secret)
const server = await serve({
  actions: [
    action('function', { run: () => ({ ok: true }) }),
    httpAction('bare', { url: service.bare, secret }),
    httpAction('verified', { url: service.handler, secret }),
    httpAction('callback', { url: service.handler, secret, callback: { deadlineMs: 60_000 } }),
  ],
  databaseUrl: `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
  ...{ port: 0, apiKey: BENCH_KEY, logLevel: 'warn', concurrency: 1_000, printBanner: false },
  httpActionsAllow: allow,
})
const worker = await startProcess('remote-worker.ts', server.url, BENCH_KEY)
const alone = callAlone(service.bare)
const contenders = [
  executing(server, 'function', 'a function in the process'),
  executing(server, 'bare', 'a service that only answers'),
  executing(server, 'verified', 'createActionHandler'),
  executing(server, 'callback', 'the same, offered a callback'),
  executing(server, 'pulled', 'a remote worker that pulls'),
  alone,
]
for (const clients of [1, 16, 64]) {
  console.log(`  ${clients} client${clients === 1 ? '' : 's'}`)
  const figures = await compare(contenders, clients, 3, ms)
  const base = figures.get(contenders[0]!.name)!
  for (const [name, one] of figures) console.log(`    ${line(name, one, base)}`)
}

await alone.stop?.()
worker.end()
await server.stop()
service.end()
await postgres.stop()
await rm(folder, { recursive: true, force: true })

function executing({ executor }: RunningServer, action: string, name: string): Contender {
  const rest = { name: action, params: PARAMS, waitMs: 30_000, runAt: null, priority: 0 }
  return {
    name,
    async call() {
      const { run } = await executeAction(executor, { ...rest, idempotencyKey: randomUUID() }, 'bench')
      if (run.status !== 'SUCCEEDED') throw new Error(`a run ended ${run.status}: ${run.error?.message}`)
    },
  }
}

/** The signed call without a run: what of the cost is HTTP's. */
function callAlone(url: string): Contender {
  const calls = new HttpCalls({ allow, maxAnswerBytes: 1_000_000 })
  const target = { url, secrets: [secret], timeoutMs: 30_000, callbackMs: undefined }
  return {
    name: 'the call alone, no run',
    async call() {
      const idempotencyKey = randomUUID()
      const message = {
        operation: 'execute',
        action: 'bare',
        runId: idempotencyKey,
        attempt: 1,
        params: PARAMS,
      } as const
      const { signal } = new AbortController()
      await calls.post({ target, message, idempotencyKey, fresh: false, signal })
    },
    stop: () => calls.close(),
  }
}

/** Measures contenders in turns, so that what else the machine does falls on all of them, and takes the medians. */
async function compare(
  contenders: readonly Contender[],
  clients: number,
  rounds: number,
  ms: number,
): Promise<Map<string, Figures>> {
  const measured = new Map<string, { perSecond: number; p50Ms: number; p99Ms: number }[]>()
  for (let i = -1; i < rounds; i++)
    for (const { name, call } of contenders) {
      const { perSecond = 0, p50Ms = 0, p99Ms = 0 } = await round(call, clients, i < 0 ? ms / 2 : ms)
      // the first is the warm-up
      measured.set(name, i < 0 ? [] : [...(measured.get(name) ?? []), { perSecond, p50Ms, p99Ms }])
    }
  return new Map(
    [...measured].map(([name, all]) => {
      const of = (member: 'perSecond' | 'p50Ms' | 'p99Ms') => median(all.map((one) => one[member]))
      const rates = all.map(({ perSecond }) => perSecond)
      return [name, { perSecond: of('perSecond'), spread: spread(rates), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') }]
    }),
  )
}

/** Starts another file of this folder, which says in one line of JSON what others are to know of it. */
async function startProcess<T>(file: string, ...args: string[]): Promise<T & { end: () => void }> {
  const script = new URL(file, import.meta.url).pathname
  const options = ['--conditions=@action.do/source', '--import', 'tsx', script, ...args]
  const child = spawn(process.execPath, options, { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const text of createInterface({ input: child.stdout }))
    return { ...JSON.parse(text), end: () => child.stdin.end() }
  throw new Error(`${file} ended without a word`)
}

function line(name: string, { perSecond, spread, p50Ms, p99Ms }: Figures, base: Figures): string {
  const rate = Math.round(perSecond).toString().padStart(6)
  const ratio = (perSecond / base.perSecond).toFixed(2)
  return `${name.padEnd(30)} ${rate}/s  ${ratio} ×  (${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} ms, ±${Math.round(spread * 100)} %)`
}
