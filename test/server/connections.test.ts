import { expect, test } from 'vitest'
import { DEFAULT_CONNECTIONS, MIN_CONNECTIONS, poolSizes } from '../../src/db/client.ts'
import { action } from '../../src/index.ts'
import { queryOf } from '../support/notes.ts'
import { latch } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

test.each([DEFAULT_CONNECTIONS, 8])(
  'a server with more to do than it has connections opens at most %i',
  async (allowed) => {
    const goOn = latch()
    let inside = 0
    const hold = action('hold', {
      effect: 'transactional',
      run: async () => {
        inside++
        await goOn.opened
      },
    })
    const server = await startTestServer([hold], { databaseConnections: allowed })
    let most = 0
    const count = async () => {
      const [row] = await queryOf(server.databaseUrl)<{ connections: number }[]>`
      select count(*)::int as connections from pg_stat_activity
      where datname = current_database() and application_name like 'action.do%'`
      most = Math.max(most, row!.connections)
    }
    const held = Array.from({ length: 40 }, () => server.execute({ name: 'hold' }))
    await until(() => inside >= poolSizes(allowed).user)
    const asked = Array.from({ length: 40 }, () => server.query('{ runs(first: 5) { edges { node { id } } } }'))
    await Promise.all([...asked, count(), count(), count()])
    goOn.open()
    for (const { run } of await Promise.all(held)) expect(run?.status).toBe('SUCCEEDED')
    await count()
    expect(most).toBeGreaterThan((allowed * 5) / 8)
    expect(most).toBeLessThanOrEqual(allowed)
  },
)

test('a server with the fewest connections executes and lists', async () => {
  const echo = action('echo', { effect: 'transactional', run: () => 'done' })
  const server = await startTestServer([echo], { databaseConnections: MIN_CONNECTIONS })
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => server.execute({ name: 'echo' })))
  for (const { run } of outcomes) expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
  const listed = Array.from({ length: 5 }, () => server.query<Listed>('{ runs(first: 20) { edges { node { id } } } }'))
  for (const { runs } of await Promise.all(listed)) expect(runs.edges).toHaveLength(20)
})

interface Listed {
  runs: { edges: unknown[] }
}

test.each(Array.from({ length: 60 }, (_, n) => MIN_CONNECTIONS + n))(
  '%i connections are divided without a rest',
  (n) => {
    const { hot, reads, user } = poolSizes(n)
    expect(hot + reads + user + 2).toBe(n)
    expect(Math.min(hot - 1, reads, user)).toBeGreaterThanOrEqual(1)
  },
)
