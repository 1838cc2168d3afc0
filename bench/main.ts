/**
 * Measures the server against named baselines, in one run, in turns: `npm run bench` (or `-- --quick`). These machines are
 * shared: read the ratios, not the absolute figures.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { client } from '../src/db/client.ts'
import { startEmbeddedPostgres } from '../src/db/embedded/start.ts'
import { barePair, batchedPair } from './baselines.ts'
import { type Contender, compare, type Figures, median, type Round } from './measure.ts'
import { inProcess, oneKey, startProduct } from './product.ts'

const quick = process.argv.includes('--quick')
const ms = quick ? 1_500 : 5_000
const rounds = 3

const folder = await mkdtemp(join(tmpdir(), 'action-do-bench-'))
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }) })
const { host, port, username, database } = postgres.connection
const url = `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
const server = await startProduct(url)
const [bare, batched] = [await barePair(url), await batchedPair(url)]
const product = inProcess(server)

console.log('execute and wait, new key each: calls a second (p50 ms / p99 ms, spread)')
for (const clients of [1, 16, 64, 128]) {
  const figures = await compare([bare, batched, product], clients, rounds, ms)
  show(clients, figures)
  const of = (name: string) => figures.get(name) as Figures
  const ratios = [
    `${ratio(of(product.name).perSecond, of(bare.name).perSecond)} × the bare pair`,
    `${ratio(of(product.name).perSecond, of(batched.name).perSecond)} × the batched pair`,
    `p50 ${ratio(of(product.name).p50Ms, of(bare.name).p50Ms)} × the bare pair's`,
  ]
  console.log(`    → ${ratios.join(', ')}`)
}

console.log('over HTTP and GraphQL, load from a second process')
for (const clients of [1, 16, 64]) console.log(`  ${line(`${clients} clients`, await overHttp(clients))}`)

console.log('one key, 64 at a time')
console.log(`  ${line('replays', (await compare([oneKey(server)], 64, rounds, ms)).values().next().value as Figures)}`)

await cost(product)

await server.stop()
await Promise.all([bare.stop?.(), batched.stop?.()])
await postgres.stop()
await rm(folder, { recursive: true, force: true })

/** Transactions and WAL of one action at 64 clients, by the database's own counters. */
async function cost(contender: Contender): Promise<void> {
  const sql = client(url, { max: 1 })
  const read = async () => {
    await sql`select pg_stat_force_next_flush()`
    const [row] = await sql<{ wal: string; commits: string; runs: string }[]>`
      select pg_current_wal_lsn() - '0/0'::pg_lsn as wal,
        (select xact_commit from pg_stat_database where datname = current_database()) as commits,
        (select count(*) from action_do.runs) as runs`
    return { wal: Number(row?.wal), commits: Number(row?.commits), runs: Number(row?.runs) }
  }
  const before = await read()
  await compare([contender], 64, 1, ms)
  // backends report their counters at most once a second
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const after = await read()
  const actions = after.runs - before.runs
  const wal = Math.round((after.wal - before.wal) / actions)
  console.log(
    `per action at 64 clients: ${((after.commits - before.commits) / actions).toFixed(3)} transactions, ${wal} bytes of WAL`,
  )
  await sql.end()
}

async function overHttp(clients: number): Promise<Figures> {
  const load = new URL('load.ts', import.meta.url).pathname
  const options = ['--conditions=@action.do/source', '--import', 'tsx', load, server.url, `${clients}`, `${ms}`]
  const all: Round[] = []
  for (let i = 0; i < rounds; i++) all.push(JSON.parse((await promisify(execFile)(process.execPath, options)).stdout))
  const rates = all.map(({ perSecond }) => perSecond)
  return {
    perSecond: median(rates),
    spread: (Math.max(...rates) - Math.min(...rates)) / median(rates),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
  }
}

function show(clients: number, figures: Map<string, Figures>): void {
  console.log(`  ${clients} client${clients === 1 ? '' : 's'}`)
  for (const [name, one] of figures) console.log(`    ${line(name, one)}`)
}

function line(name: string, { perSecond, spread, p50Ms, p99Ms }: Figures): string {
  const rate = Math.round(perSecond).toString().padStart(6)
  return `${name.padEnd(24)} ${rate}/s  (${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} ms, ±${Math.round(spread * 50)} %)`
}

function ratio(a: number, b: number): string {
  return (a / b).toFixed(2)
}
