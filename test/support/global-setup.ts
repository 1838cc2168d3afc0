import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Sql } from 'postgres'
import type { TestProject } from 'vitest/node'
import { client } from '../../src/db/client.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import { bundlesOfPrograms } from './bundles.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster's address, for `database()` to fill in a name. */
    cluster: string
    /** The database that every test's own is a copy of. */
    template: string
    /** The folder of the programs that tests start as processes of their own. */
    programs: string
  }
}

/**
 * One Postgres for all tests, with a migrated template that each file's database is copied from: the embedded one, or the
 * one that TEST_DATABASE_URL names (its user must be allowed to create databases).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // before a cluster is started, which nobody would stop if a program did not compile
  const bundles = await bundlesOfPrograms()
  await bundles.make()
  project.onTestsRerun(bundles.make)
  const given = process.env.TEST_DATABASE_URL
  const cluster = given ? { url: given, stop: async () => {} } : await embedded()
  const template = `action_do_test_${process.pid}`
  const admin = client(cluster.url, { max: 1 })
  await admin.unsafe(`create database ${template}`)
  await migrate(databaseIn(cluster.url, template))
  project.provide('programs', bundles.folder)
  project.provide('cluster', cluster.url)
  project.provide('template', template)
  return async () => {
    if (given) await dropAll(admin, template)
    await admin.end()
    await Promise.all([cluster.stop(), bundles.remove()])
  }
}

/** The template and its copies. */
async function dropAll(admin: Sql, template: string): Promise<void> {
  const copies = await admin<{ datname: string }[]>`
    select datname from pg_database where datname = ${template} or starts_with(datname, ${`${template}_`})`
  for (const { datname } of copies) await admin.unsafe(`drop database ${datname} with (force)`)
}

/** Its data need not survive anything: fsync is off, and the folder goes afterwards. */
async function embedded() {
  const dataDir = await mkdtemp(join(tmpdir(), 'action-do-test-'))
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '500' }
  const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'warn' }), settings })
  const { host, port, username, database } = postgres.connection
  const url = `postgres://${username}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  return {
    url,
    async stop() {
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function databaseIn(cluster: string, name: string): string {
  const url = new URL(cluster)
  url.pathname = `/${name}`
  return url.href
}
