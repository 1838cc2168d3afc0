import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { ALLOW_LOCAL, scriptedService, sendJson } from '../support/http-service.ts'
import { change } from '../support/registration.ts'
import { settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

const GREETING = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { name: { type: 'string', minLength: 1 }, loud: { type: 'boolean', default: false } },
}

test('an action that is registered is executed at once, with its schemas and a signature of its secret', async () => {
  const { url, calls } = await scriptedService((res, { body }) => sendJson(res, 200, body.params))
  const server = await startTestServer([], allow)
  const { secret, action: shown } = await change(server, 'registerAction', {
    name: 'greet',
    url,
    paramsSchema: GREETING,
  })
  expect(shown).toEqual({
    ...{ name: 'greet', version: '1', url, effect: 'idempotent', paramsSchema: GREETING, timeoutMs: 60_000 },
  })
  const { run } = await server.execute({ name: 'greet', params: { name: 'Ada' } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { name: 'Ada', loud: false } })
  const { headers, text } = calls[0]!
  expect(() => new Webhook(secret!).verify(text, headers as Record<string, string>)).not.toThrow()
  const refused = await server.execute({ name: 'greet', params: { name: '' } })
  expect(refused).toMatchObject({ code: 'INVALID_PARAMS', issues: [{ path: 'name' }] })
  expect(calls).toHaveLength(1)
})

test('a result that does not fit its schema fails the run', async () => {
  const { url } = await scriptedService((res) => sendJson(res, 200, { n: 'one' }))
  const server = await startTestServer([], allow)
  const resultSchema = { type: 'object', properties: { n: { type: 'integer' } } }
  await change(server, 'registerAction', { name: 'count', url, resultSchema })
  const { run } = await server.execute({ name: 'count' })
  expect(run?.error).toMatchObject({ code: 'INVALID_RESULT', details: { issues: [{ path: 'n' }] } })
})

test('every node serves what was registered, changed and removed at another, without a restart', async () => {
  const first = await scriptedService((res) => sendJson(res, 200, 1))
  const second = await scriptedService((res) => sendJson(res, 200, 2))
  const databaseUrl = await testDatabase()
  const [here, there] = [
    await startTestServer([], { ...allow, databaseUrl }),
    await startTestServer([], { ...allow, databaseUrl }),
  ]
  const versionThere = async () =>
    (await there.query<{ action: { version: string } | null }>('{ action(name: "a") { version } }')).action?.version
  await change(here, 'registerAction', { name: 'a', url: first.url })
  await until(async () => (await versionThere()) === '1')
  expect((await there.execute({ name: 'a' })).run?.result).toBe(1)
  await change(here, 'updateAction', { name: 'a', url: second.url })
  await until(async () => (await versionThere()) === '2')
  expect((await there.execute({ name: 'a' })).run?.result).toBe(2)
  expect(await change(here, 'removeAction', { name: 'a' })).toMatchObject({ name: 'a' })
  await until(async () => (await versionThere()) === undefined)
  expect(await there.execute({ name: 'a' })).toMatchObject({ code: 'ACTION_NOT_FOUND' })
})

test('a change keeps what it does not name, null gives the default back, and the same again is no new version', async () => {
  const server = await startTestServer([])
  const url = 'https://service.example/a'
  await change(server, 'registerAction', { name: 'a', url, timeoutMs: 5_000, effect: 'unsafe' })
  const changed = await change(server, 'updateAction', { name: 'a', timeoutMs: 7_000, description: 'Does it' })
  expect(changed.action).toMatchObject({ version: '2', effect: 'unsafe', timeoutMs: 7_000, url })
  const reset = await change(server, 'updateAction', { name: 'a', timeoutMs: null, effect: null })
  expect(reset.action).toMatchObject({ version: '3', effect: 'idempotent', timeoutMs: 60_000 })
  expect((await change(server, 'updateAction', { name: 'a', url })).action?.version).toBe('3')
})

test('a secret is rotated while both are valid, and the old one ends in time', async () => {
  const { url, calls } = await scriptedService((res) => sendJson(res, 200, null))
  const server = await startTestServer([], allow)
  const { secret: old } = await change(server, 'registerAction', { name: 'a', url })
  const { secret: next } = await change(server, 'rotateActionSecret', { name: 'a', keepPreviousMs: 60_000 })
  expect(next).not.toBe(old)
  const verifies = (secret: string | undefined) => {
    const { headers, text } = calls.at(-1)!
    try {
      return new Webhook(secret!).verify(text, headers as Record<string, string>) !== undefined
    } catch {
      return false
    }
  }
  await server.execute({ name: 'a' })
  expect([verifies(old), verifies(next)]).toEqual([true, true])
  server.advance(61_000)
  await until(async () => {
    await server.execute({ name: 'a' })
    return !verifies(old)
  })
  expect(verifies(next)).toBe(true)
})

test('no query shows a secret', async () => {
  const server = await startTestServer([])
  const { secret } = await change(server, 'registerAction', { name: 'a', url: 'https://service.example/' })
  const types = await server.query<{ __schema: { types: { name: string; fields: { name: string }[] | null }[] } }>(
    '{ __schema { types { name fields { name } } } }',
  )
  const shown = types.__schema.types.filter(({ fields }) => fields?.some(({ name }) => name === 'secret'))
  expect(shown.map(({ name }) => name).sort()).toEqual(['RegisterActionPayload', 'RotateActionSecretPayload'])
  expect(JSON.stringify(await server.query('{ actions { name url version description } }'))).not.toContain(secret)
})

test('the runs of an action that was removed wait, and go on when it is registered again', async () => {
  const { url } = await scriptedService((res, _, i) =>
    i === 0 ? sendJson(res, 500, null) : sendJson(res, 200, 'done'),
  )
  const server = await startTestServer([], allow)
  const retry = { backoff: { initialMs: 3_600_000, maxMs: 3_600_000, jitter: false } }
  await change(server, 'registerAction', { name: 'a', url, retry })
  const { run } = await server.execute({ name: 'a', waitMs: 1_000 })
  expect(run?.status).toBe('SCHEDULED')
  await change(server, 'removeAction', { name: 'a' })
  server.advance(3_600_000)
  await until(
    async () =>
      (await server.query<{ run: { status: string } }>(`{ run(id: "${run!.id}") { status } }`)).run.status === 'QUEUED',
  )
  const again = await change(server, 'registerAction', { name: 'a', url })
  expect(again.action?.version).toBe('3')
  expect(await settled(server, run!.id)).toMatchObject({ status: 'SUCCEEDED', result: 'done' })
})

test('a registered action is a step of a workflow given as data', async () => {
  const { url } = await scriptedService((res, { body }) => sendJson(res, 200, body.params))
  const server = await startTestServer([], allow)
  await change(server, 'registerAction', { name: 'echo', url })
  const definition = { name: 'flow', steps: [{ key: 'one', action: 'echo', params: { n: 1 } }] }
  const { startWorkflow } = await server.query<{ startWorkflow: { run: { status: string; result: unknown } } }>(
    `mutation($definition: JSON) { startWorkflow(input: { definition: $definition, waitMs: 20000 }) {
      ... on StartWorkflowPayload { run { status result } } ... on Error { message } } }`,
    { definition },
  )
  expect(startWorkflow.run).toEqual({ status: 'SUCCEEDED', result: { n: 1 } })
})

test('a worker says that it takes runs of what was registered', async () => {
  const server = await startTestServer([])
  await change(server, 'registerAction', { name: 'late', url: 'https://service.example/' })
  expect(await server.executor.liveQueues.get()).toContain('late')
})

test('two who change an action at once make two versions', async () => {
  const server = await startTestServer([])
  await change(server, 'registerAction', { name: 'a', url: 'https://service.example/' })
  await Promise.all(
    [1, 2, 3].map((n) => change(server, 'updateAction', { name: 'a', timeoutMs: n * 1_000, description: `${n}` })),
  )
  const { action: now } = await server.query<{ action: { version: string } }>('{ action(name: "a") { version } }')
  expect(now.version).toBe('4')
})

test.each([
  ['a name that is none', { name: 'No name' }, { path: 'name' }],
  ['a name of the code', { name: 'own' }, { path: 'name', message: expect.stringContaining('of the code') }],
  ['a name that is registered', { name: 'known' }, { message: expect.stringContaining('updateAction') }],
  [
    'a URL that is none',
    { url: 'ftp://x/' },
    { issues: [{ path: 'url', message: 'must begin with https:// or http://' }] },
  ],
  ['a transactional effect', { effect: 'transactional' }, { issues: [{ path: 'effect' }] }],
  ['a regular expression', { paramsSchema: { pattern: '(a+)+$' } }, { issues: [{ path: 'paramsSchema.pattern' }] }],
  ['a schema from elsewhere', { resultSchema: { $ref: 'http://x/' } }, { issues: [{ path: 'resultSchema.$ref' }] }],
  ['a retry that makes no sense', { retry: { maxAttempts: 0 } }, { issues: [{ path: 'retry.maxAttempts' }] }],
  ['a timeout over a day', { timeoutMs: 86_400_001 }, { issues: [{ path: 'timeoutMs' }] }],
  ['a probe of what is repeated anyway', { probe: true }, { issues: [{ path: 'probe' }] }],
])('%s is refused', async (_, wrong, refusal) => {
  const own = action('own', { run: () => null })
  const server = await startTestServer([own])
  await change(server, 'registerAction', { name: 'known', url: 'https://service.example/' })
  const answer = await change(server, 'registerAction', { name: 'new', url: 'https://service.example/', ...wrong })
  expect(answer).toMatchObject({ code: expect.stringMatching(/^INVALID_/), ...refusal })
  expect(answer.secret).toBeUndefined()
})

test('what is not registered over the API cannot be changed over it', async () => {
  const server = await startTestServer([action('own', { run: () => null })])
  for (const mutation of ['updateAction', 'removeAction', 'rotateActionSecret'] as const) {
    expect(await change(server, mutation, { name: 'own' })).toMatchObject({ code: 'INVALID_INPUT', path: 'name' })
    expect(await change(server, mutation, { name: 'nobody' })).toMatchObject({ code: 'ACTION_NOT_FOUND' })
  }
})

test('an action that was registered is there after a restart', async () => {
  const { url } = await scriptedService((res) => sendJson(res, 200, 'here'))
  const databaseUrl = await testDatabase()
  const before = await startTestServer([], { ...allow, databaseUrl })
  await change(before, 'registerAction', { name: 'a', url })
  await before.stop()
  const after = await startTestServer([], { ...allow, databaseUrl })
  expect((await settled(after, await submit(after, { name: 'a' }))).result).toBe('here')
})
