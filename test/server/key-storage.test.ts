import { createHash } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { queryOf } from '../support/notes.ts'
import { rawPost } from '../support/raw-http.ts'
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const good = action('good', { run: ({ params }) => params })

/** Every value of every table, as text: bytes both as hexadecimal and as they are. */
async function everythingIn(databaseUrl: string): Promise<string> {
  const sql = queryOf(databaseUrl)
  const tables = await sql<{ schema: string; name: string }[]>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`
  expect(tables.length).toBeGreaterThan(4)
  const rows = await Promise.all(
    tables.map(({ schema, name }) => sql<{ row: string }[]>`select t::text as row from ${sql(schema)}.${sql(name)} t`),
  )
  const text = rows.flatMap((table) => table.map(({ row }) => row)).join('\n')
  const bytes = [...text.matchAll(/\\x([0-9a-f]+)/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
  return [text, ...bytes].join('\n')
}

/** Uses a key in every way that there is. */
async function use(server: TestServer, key: string): Promise<void> {
  const query = 'mutation { executeAction(input: { name: "good", idempotencyKey: "k" }) { __typename } }'
  const answer = await rawPost(server.url, JSON.stringify({ query }), { authorization: `Bearer ${key}` })
  expect(JSON.parse(answer.body)).toEqual({ data: { executeAction: { __typename: 'ExecuteActionPayload' } } })
}

async function statusOf(server: TestServer, key: string): Promise<number> {
  const query = '{ actions { name } }'
  return (await rawPost(server.url, JSON.stringify({ query }), { authorization: `Bearer ${key}` })).status
}

test('a key that the server makes is printed once, and the database has its hash only', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  const databaseUrl = await testDatabase()
  const options = { databaseUrl, apiKey: undefined, printBanner: true }
  const server = await startTestServer([good], options)
  const key = /do_[\w-]{32}/.exec(String(print.mock.calls))?.[0] ?? ''
  expect(key).not.toBe('')
  await use(server, key)
  const stored = await everythingIn(databaseUrl)
  expect(stored).not.toContain(key)
  expect(stored).not.toContain(key.slice(3))
  expect(stored).toContain(createHash('sha256').update(key).digest('hex'))

  print.mockClear()
  const again = await startTestServer([good], options)
  expect(String(print.mock.calls)).toContain('the one that was printed at the first start')
  expect(String(print.mock.calls)).not.toContain(key)
  await use(again, key)
  print.mockRestore()
})

test('a key that was made is told although the start then fails, or no banner is wanted', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => print.mockRestore())
  const told = () => /API key +(do_[\w-]{32}) +\(shown this once/.exec(String(print.mock.calls))?.[1] ?? ''
  const databaseUrl = await testDatabase()
  const other = await startTestServer([good])
  const { port } = new URL(other.url)
  const failing = startTestServer([good], { databaseUrl, apiKey: undefined, port: Number(port) })
  await expect(failing).rejects.toThrow('another program uses')
  await use(await startTestServer([good], { databaseUrl, apiKey: undefined }), told())

  print.mockClear()
  await use(await startTestServer([good], { apiKey: undefined, printBanner: false }), told())
})

test('a key that is configured is in the database in no form', async () => {
  const databaseUrl = await testDatabase()
  const server = await startTestServer([good], { databaseUrl })
  await use(server, API_KEY)
  const stored = await everythingIn(databaseUrl)
  expect(stored).toContain('DO_API_KEY')
  expect(stored).not.toContain(API_KEY)
  expect(stored).not.toContain(createHash('sha256').update(API_KEY).digest('hex'))
})

test('a key that another server made is accepted within a second', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  const databaseUrl = await testDatabase()
  const configured = await startTestServer([good], { databaseUrl })
  await startTestServer([good], { databaseUrl, apiKey: undefined, printBanner: true })
  const key = /do_[\w-]{32}/.exec(String(print.mock.calls))?.[0] ?? ''
  print.mockRestore()
  await use(configured, key)
})

test('a key that was removed is refused once the list of keys is five seconds old', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  const databaseUrl = await testDatabase()
  const server = await startTestServer([good], { databaseUrl, apiKey: undefined, printBanner: true })
  const key = /do_[\w-]{32}/.exec(String(print.mock.calls))?.[0] ?? ''
  print.mockRestore()
  await use(server, key)
  await queryOf(databaseUrl)`delete from action_do.api_keys`
  const now = performance.now()
  const clock = vi.spyOn(performance, 'now')
  onTestFinished(() => clock.mockRestore())
  clock.mockReturnValue(now + 4_000)
  await use(server, key)
  clock.mockReturnValue(now + 6_000)
  await use(server, key)
  await until(async () => (await statusOf(server, key)) === 401)
})

test('a key of the environment is accepted without asking the database', async () => {
  const server = await startTestServer([good])
  await use(server, API_KEY)
  await server.executor.db.hot`alter table action_do.api_keys rename to keys_elsewhere`
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000)
  onTestFinished(() => clock.mockRestore())
  await use(server, API_KEY)
})
