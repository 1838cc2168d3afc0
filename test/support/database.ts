import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { client } from '../../src/db/client.ts'
import { until } from './until.ts'

/** Names a fresh, migrated database of this test's own. It goes with the cluster, or at the end of a test that made it. */
export async function testDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onCluster(`create database ${name} template ${inject('template')}`)
  return databaseUrl(name)
}

/** An empty database, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onCluster(`create database ${name}`)
  onTestFinished(() => drop(name))
  return databaseUrl(name)
}

/** Again where the autovacuum is in it: only a superuser may end that, and it ends by itself. */
function drop(name: string): Promise<void> {
  return until(() =>
    onCluster(`drop database if exists ${name} with (force)`).then(
      () => true,
      (error) => {
        if (error.code !== INSUFFICIENT_PRIVILEGE) throw error
        return false
      },
    ),
  )
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** Runs one statement as the cluster's owner. */
async function onCluster(statement: string): Promise<void> {
  const admin = client(inject('cluster'), { max: 1 })
  try {
    await admin.unsafe(statement)
  } finally {
    await admin.end()
  }
}

function databaseUrl(name: string): string {
  const url = new URL(inject('cluster'))
  url.pathname = `/${name}`
  return url.href
}
