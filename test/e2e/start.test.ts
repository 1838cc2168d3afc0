import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { cleanUp, newDataDir, postmasterPid } from '../db/embedded-support.ts'
import { emptyDatabase } from '../support/database.ts'
import { queryOf } from '../support/notes.ts'
import { chargesIn, payment, startOnboarding } from '../support/onboarding.ts'

afterEach(cleanUp)

const run = promisify(execFile)

test('the first start prints addresses, a key and a line to paste; what it records survives a restart', async () => {
  const DO_DATA_DIR = await newDataDir()
  const first = await startOnboarding({ DO_DATA_DIR, DO_API_KEY: undefined })
  const key = /API key +(do_\S+)/.exec(first.printed)?.[1] ?? ''
  const file = join(DO_DATA_DIR, 'api-key')
  expect((await readFile(file, 'utf8')).trim()).toBe(key)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(first.printed).toContain(`GraphiQL   ${first.url}#key=${key}`)
  expect(first.printed).toContain('Actions    create-user, process-payment, provision-resources, send-welcome-email\n')
  expect(first.printed).toContain('Workflows  onboard-user\n')
  expect((await fetch(new URL('/health/ready', first.url))).status).toBe(200)

  const line = /Try it:\s+(curl[\s\S]+?)\n\n/.exec(`${first.printed}\n\n`)?.[1] ?? ''
  const { stdout } = await run('sh', ['-c', line], { cwd: '/' })
  expect(JSON.parse(stdout).data.actions).toHaveLength(4)

  const headers = { authorization: `Bearer ${key}` }
  const body = { query: mutation, variables: { input: payment(1) } }
  const before = (await first.post(body, headers)).body.data?.executeAction
  expect(before).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED' } })
  expect(await first.stop()).toBe(0)
  expect(await postmasterPid(DO_DATA_DIR)).toBeUndefined()

  const second = await startOnboarding({ DO_DATA_DIR, DO_API_KEY: undefined })
  expect(second.printed).not.toContain(key)
  expect(second.printed).toContain(`in ${file}`)
  expect((await second.post(body, headers)).body.data?.executeAction).toEqual({ ...(before as object), replayed: true })
  expect([...(await chargesIn(DO_DATA_DIR)).values()]).toEqual([1])
})

test('two servers share one data directory, and the last one out stops Postgres', async () => {
  const DO_DATA_DIR = await newDataDir()
  // both at once, on an empty directory
  const [one, two] = await Promise.all([startOnboarding({ DO_DATA_DIR }), startOnboarding({ DO_DATA_DIR })])
  const { run } = await one.execute(payment(1))
  expect(run?.status).toBe('SUCCEEDED')
  expect(await two.execute(payment(1))).toMatchObject({ replayed: true, run: { id: run?.id } })
  expect(await one.stop()).toBe(0)
  expect(await postmasterPid(DO_DATA_DIR)).toBeDefined()
  expect((await two.execute(payment(2))).run?.status).toBe('SUCCEEDED')
  expect(await two.stop()).toBe(0)
  expect(await postmasterPid(DO_DATA_DIR)).toBeUndefined()
})

test('four nodes that start at once on an empty database migrate it once and make one key', async () => {
  const DATABASE_URL = await emptyDatabase()
  const dataDirs = await Promise.all([1, 2, 3, 4].map(() => newDataDir()))
  const nodes = await Promise.all(
    dataDirs.map((DO_DATA_DIR) => startOnboarding({ DATABASE_URL, DO_DATA_DIR, DO_API_KEY: undefined })),
  )
  const keys = nodes.flatMap(({ printed }) => /API key +(do_\S+)/.exec(printed)?.[1] ?? [])
  expect(keys).toHaveLength(1)
  const own = queryOf(DATABASE_URL)
  expect(await own`select count(*)::int as keys from action_do.api_keys`).toEqual([{ keys: 1 }])
  const twice = await own`select hash from action_do.migrations group by hash having count(*) > 1`
  expect(twice).toEqual([])
  for (const node of nodes) {
    const { body } = await node.post({ query: '{ actions { name } }' }, { authorization: `Bearer ${keys[0]}` })
    expect(body.data?.actions).toHaveLength(4)
  }
  expect(await Promise.all(nodes.map((node) => node.stop()))).toEqual([0, 0, 0, 0])
})

const mutation = `mutation($input: ExecuteActionInput!) {
  executeAction(input: $input) { ... on ExecuteActionPayload { replayed run { id status result lastSeq } } } }`
