import { join } from 'node:path'
import { pino } from 'pino'
import type { Sql } from 'postgres'
import { client } from '../src/db/client.ts'
import { startEmbeddedPostgres } from '../src/db/embedded/start.ts'
import { machinePrograms, startMachinePostgres } from './machine-postgres.ts'

/** One Postgres for all contenders, each with a database of its own in it. */
export interface Cluster {
  readonly version: string
  readonly kind: 'embedded' | 'machine' | 'BENCH_DATABASE_URL'
  /** Settings that a durable write depends on, as the cluster has them. */
  readonly settings: Readonly<Record<string, string>>
  /** Makes an empty database, and answers with its address. */
  createDatabase(name: string): Promise<string>
  /** Writes everything down now, so that nobody's checkpoint falls on somebody else's turn. */
  checkpoint(): Promise<void>
  /** What the whole cluster has written so far: transactions that changed something, and bytes of WAL. */
  written(): Promise<{ transactions: number; walBytes: number }>
  stop(): Promise<void>
}

/** Checkpoints happen between scenarios only. Durability stays as Postgres sets it: fsync and synchronous_commit are on. */
const SETTINGS = { checkpoint_timeout: '1h', max_wal_size: '16GB' }
const SHOWN = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'checkpoint_timeout']

/** The Postgres of BENCH_DATABASE_URL, whose user may create databases; else the machine's own programs, else the embedded ones. */
export async function openCluster(folder: string): Promise<Cluster> {
  const given = process.env.BENCH_DATABASE_URL
  if (given) return clusterAt(given, 'BENCH_DATABASE_URL', async () => {})
  const dataDir = join(folder, 'postgres')
  const programs = await machinePrograms()
  if (programs) {
    const { url, stop } = await startMachinePostgres(programs, dataDir, SETTINGS)
    return clusterAt(url, 'machine', stop)
  }
  const { connection, stop } = await startEmbeddedPostgres({
    dataDir,
    log: pino({ level: 'warn' }),
    settings: SETTINGS,
  })
  const url = `postgres://postgres@localhost:${connection.port}/postgres?host=${encodeURIComponent(connection.host)}`
  return clusterAt(url, 'embedded', stop).catch(async (error) => {
    await stop()
    throw error
  })
}

async function clusterAt(url: string, kind: Cluster['kind'], stop: () => Promise<void>): Promise<Cluster> {
  const sql = client(url, { max: 1 })
  const created: string[] = []
  return {
    kind,
    version: await setting(sql, 'server_version'),
    settings: Object.fromEntries(await Promise.all(SHOWN.map(async (name) => [name, await setting(sql, name)]))),
    async createDatabase(name) {
      const database = `action_do_bench_${name.replaceAll(/\W/g, '_')}`
      await sql.unsafe(`drop database if exists ${database} with (force)`)
      await sql.unsafe(`create database ${database}`)
      created.push(database)
      return Object.assign(new URL(url), { pathname: `/${database}` }).href
    },
    async checkpoint() {
      // only a superuser may; on a cluster of somebody else the checkpoints fall where they fall
      await sql.unsafe('checkpoint').catch(() => {})
    },
    async written() {
      const [row] = await sql<{ transactions: string; walBytes: string }[]>`
        select pg_snapshot_xmax(pg_current_snapshot())::text as transactions,
          pg_current_wal_lsn() - '0/0'::pg_lsn as "walBytes"`
      return { transactions: Number(row?.transactions), walBytes: Number(row?.walBytes) }
    },
    async stop() {
      for (const database of created) await sql.unsafe(`drop database if exists ${database} with (force)`)
      await sql.end()
      await stop()
    },
  }
}

async function setting(sql: Sql, name: string): Promise<string> {
  const [row] = await sql<{ value: string }[]>`select current_setting(${name}) as value`
  return row?.value ?? ''
}
