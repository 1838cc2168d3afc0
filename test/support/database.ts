import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { client } from '../../src/db/client.ts'
import { until } from './until.ts'
import { UsedDatabase } from './used-database.ts'

/** Those that no test has at present. They are the process's, which has one test file after the other. */
const free: UsedDatabase[] = []

/** Stays open, as the databases' own connections do, until the process ends. */
const admin = client(inject('cluster'), { max: 1 })

/**
 * Names a migrated database that nothing is in, and that is this test's own until it ends. Making one takes ten times as long as emptying
 * one, so the next test is given that of the last, where that left only rows.
 */
export async function testDatabase(): Promise<string> {
  for (let one = free.pop(); one; one = free.pop()) {
    if (await one.emptied()) return lend(one)
    await one.end()
  }
  const name = newName()
  await admin.unsafe(`create database ${name} template ${inject('template')}`)
  return lend(await UsedDatabase.made(databaseUrl(name)))
}

async function lend(database: UsedDatabase): Promise<string> {
  try {
    // what a test starts over it is stopped before: the last hook is the first to run
    onTestFinished(() => void free.push(database))
  } catch {
    // outside of a test it is the file's, and nobody's afterwards
    await database.end()
  }
  return database.url
}

/** An empty database, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<string> {
  const name = newName()
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

/** By the template's: the run drops them by it where the cluster stays. */
function newName(): string {
  return `${inject('template')}_${randomBytes(6).toString('hex')}`
}

function databaseUrl(name: string): string {
  const url = new URL(inject('cluster'))
  url.pathname = `/${name}`
  return url.href
}
