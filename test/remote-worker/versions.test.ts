import { expect, test } from 'vitest'
import { change } from '../support/registration.ts'
import { ask, handWorker } from '../support/remote-worker.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const OLD = { name: 'price', paramsSchema: { type: 'object', required: ['net'] } }
const NEW = { name: 'price', paramsSchema: { type: 'object', required: ['gross'] } }

const ACTION = 'query { action(name: "price") { version isRemote paramsSchema workers { id name lastSeenAt } } }'
const show = async (server: TestServer) =>
  (
    await server.query<{
      action: { version: string; isRemote: boolean; paramsSchema: unknown; workers: { id: string }[] } | null
    }>(ACTION)
  ).action

test('an action shows its live workers; with none its runs stay QUEUED and say why', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, [OLD])
  expect(await show(server)).toMatchObject({ version: '1', isRemote: true, workers: [{ id: worker.id, name: 'hand' }] })
  await worker.stop()
  await until(async () => (await show(server))!.workers.length === 0)
  const { run } = await server.execute({ name: 'price', params: { net: 1 }, waitMs: 100 })
  expect(run!.status).toBe('QUEUED')
  const blocked = 'query($id: ID!) { run(id: $id) { blockedBy } }'
  await until(async () => {
    const answer = await server.query<{ run: { blockedBy: string | null } }>(blocked, { id: run!.id })
    return answer.run.blockedBy === 'No live worker has registered the action price.'
  })
})

test('all live workers are listed, with the version of each action that they have', async () => {
  const server = await startTestServer([])
  const list = async () => (await server.query<{ workers: object[] }>('{ workers { name actions } }')).workers
  expect(await list()).toEqual([])
  await handWorker(server, [OLD, { name: 'other' }], 'first')
  await handWorker(server, [NEW], 'second')
  await until(async () => (await list()).length === 2)
  expect(await list()).toEqual([
    { name: 'first', actions: ['price@1', 'other@1'] },
    { name: 'second', actions: ['price@2'] },
  ])
})

test('in a rolling deploy old workers get what was submitted to them, new ones everything', async () => {
  const server = await startTestServer([])
  const old = await handWorker(server, [OLD])
  const before = (await server.execute({ name: 'price', params: { net: 1 }, waitMs: 0 })).run!.id
  const next = await handWorker(server, [NEW])
  // callers now speak to the new version
  expect(await server.execute({ name: 'price', params: { net: 1 } })).toMatchObject({ code: 'INVALID_PARAMS' })
  const after = (await server.execute({ name: 'price', params: { gross: 2 }, waitMs: 0 })).run!.id
  const toOld = await old.claim({ waitMs: 1_500 })
  expect(toOld.map(({ runId }) => runId)).toEqual([before])
  await old.complete(toOld[0]!, 'old')
  expect(await old.claim({ waitMs: 300 })).toEqual([])
  const toNew = await next.claim()
  expect(toNew.map(({ runId }) => runId)).toEqual([after])
})

test('a new worker takes what was submitted to the old version, when that is gone', async () => {
  const server = await startTestServer([])
  const old = await handWorker(server, [OLD])
  const id = (await server.execute({ name: 'price', params: { net: 1 }, waitMs: 0 })).run!.id
  await old.stop()
  const next = await handWorker(server, [NEW])
  expect(await next.claim()).toMatchObject([{ runId: id, params: { net: 1 } }])
})

test('old workers that register again, in the middle of a deploy, do not become the newest', async () => {
  const server = await startTestServer([])
  await handWorker(server, [OLD])
  await handWorker(server, [NEW])
  expect(await show(server)).toMatchObject({ version: '2' })
  await handWorker(server, [OLD])
  expect(await show(server)).toMatchObject({ version: '2', workers: [{}, {}, {}] })
})

test('what was rolled back to is the newest again, once the other is gone', async () => {
  const server = await startTestServer([])
  await handWorker(server, [OLD])
  const bad = await handWorker(server, [NEW])
  const stuck = (await server.execute({ name: 'price', params: { gross: 1 }, waitMs: 0 })).run!.id
  await bad.stop()
  await until(async () => (await show(server))!.version === '1')
  expect((await server.execute({ name: 'price', params: { net: 1 }, waitMs: 0 })).run!.status).toBe('QUEUED')
  const good = await handWorker(server, [OLD])
  // nobody else would take what was submitted to the version that is gone
  expect((await good.claim()).map(({ runId }) => runId)).toContain(stuck)
})

test('a name of the code, or of a service, is refused; a removed one is registered anew', async () => {
  const server = await startTestServer([])
  const registered = await change(server, 'registerAction', { name: 'price', url: 'https://example.com/' })
  expect(registered.__typename).toBe('RegisterActionPayload')
  expect(await ask(server, 'registerWorker', { actions: [OLD] })).toMatchObject({
    code: 'INVALID_INPUT',
    message: /removeAction frees it/,
  })
  await change(server, 'removeAction', { name: 'price' })
  await handWorker(server, [OLD])
  expect(await change(server, 'updateAction', { name: 'price', timeoutMs: 5 })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await change(server, 'registerAction', { name: 'price', url: 'https://example.com/' })).toMatchObject({
    code: 'INVALID_INPUT',
  })
  await change(server, 'removeAction', { name: 'price' })
  expect(await show(server)).toBeNull()
  await handWorker(server, [OLD])
  expect(await show(server)).toMatchObject({ isRemote: true })
})

test('a definition with mistakes names each of them, and nothing is registered', async () => {
  const server = await startTestServer([])
  const answer = await ask(server, 'registerWorker', {
    actions: [
      { name: 'Bad Name' },
      { name: 'a', timeoutMs: 0, probe: true, paramsSchema: { type: 'wrong' } },
      { name: 'b' },
      { name: 'b', effect: 'transactional' },
    ],
  })
  expect(answer.code).toBe('INVALID_DEFINITION')
  expect(answer.issues?.map(({ path }) => path)).toEqual([
    'actions.0.name',
    'actions.1.paramsSchema.type',
    'actions.1.timeoutMs',
    'actions.1.probe',
    'actions.3.name',
    'actions.3.effect',
  ])
  expect(await ask(server, 'registerWorker', { name: '', actions: [{ name: 'a' }] })).toMatchObject({ path: 'name' })
  expect(await ask(server, 'registerWorker', { actions: [] })).toMatchObject({ code: 'INVALID_DEFINITION' })
  expect((await server.query<{ actions: unknown[] }>('{ actions { name } }')).actions).toEqual([])
})
