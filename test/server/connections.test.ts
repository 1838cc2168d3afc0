import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { queryOf } from '../support/notes.ts'
import { latch } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const PROMISED = Number(README.match(/opens at\s+most (\d+) connections/)?.[1])

test('a server with more to do than it has connections opens no more than the README says', async () => {
  const goOn = latch()
  let inside = 0
  const hold = action('hold', {
    effect: 'transactional',
    run: async () => {
      inside++
      await goOn.opened
    },
  })
  const server = await startTestServer([hold])
  let most = 0
  const count = async () => {
    const [row] = await queryOf(server.databaseUrl)<{ connections: number }[]>`
      select count(*)::int as connections from pg_stat_activity
      where datname = current_database() and application_name like 'action.do%'`
    most = Math.max(most, row!.connections)
  }
  const held = Array.from({ length: 40 }, () => server.execute({ name: 'hold' }))
  await until(() => inside >= 10)
  const asked = Array.from({ length: 40 }, () => server.query('{ runs(first: 5) { edges { node { id } } } }'))
  await Promise.all([...asked, count(), count(), count()])
  goOn.open()
  for (const { run } of await Promise.all(held)) expect(run?.status).toBe('SUCCEEDED')
  await count()
  expect(most).toBeGreaterThan(15)
  expect(most).toBeLessThanOrEqual(PROMISED)
})
