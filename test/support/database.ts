import { randomBytes } from 'node:crypto'
import { afterAll, inject, onTestFinished } from 'vitest'
import { client } from '../../src/db/client.ts'
import { until } from './until.ts'
import { UsedDatabase } from './used-database.ts'

/** Those of this file, whose tests have ended or not. */
const all = new Set<UsedDatabase>()
const free: UsedDatabase[] = []

const admin = client(inject('cluster'), { max: 1 })

afterAll(() => Promise.all([admin, ...all].map((one) => one.end())))

/**
 * Names a migrated database that nothing is in, and that is this test's own until it ends. Making one takes ten times as long as emptying
 * one, so the next test of the file is given that of the last, where that left only rows.
 */
export async function testDatabase(): Promise<string> {
  for (let one = free.pop(); one; one = free.pop()) {
    if (await one.emptied()) return lend(one)
    all.delete(one)
    await one.end()
  }
  const name = `test_${randomBytes(6).toString('hex')}`
  await admin.unsafe(`create database ${name} template ${inject('template')}`)
  const made = await UsedDatabase.made(databaseUrl(name))
  all.add(made)
  return lend(made)
}

function lend(database: UsedDatabase): string {
  try {
    // what a test starts over it is stopped before: the last hook is the first to run
    onTestFinished(() => void free.push(database))
  } catch {
    // outside of a test it is the file's
  }
  return database.url
}

/** An empty database, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await admin.unsafe(`create database ${name}`)
  onTestFinished(() => drop(name))
  return databaseUrl(name)
}

/** Again where the autovacuum is in it: only a superuser may end that, and it ends by itself. */
function drop(name: string): Promise<void> {
  return until(() =>
    admin.unsafe(`drop database if exists ${name} with (force)`).then(
      () => true,
      (error) => {
        if (error.code !== INSUFFICIENT_PRIVILEGE) throw error
        return false
      },
    ),
  )
}

const INSUFFICIENT_PRIVILEGE = '42501'

function databaseUrl(name: string): string {
  const url = new URL(inject('cluster'))
  url.pathname = `/${name}`
  return url.href
}
