// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { type HandWorker, handWorker } from '../support/remote-worker.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const START = `mutation($input: StartWorkflowInput!) { startWorkflow(input: $input) { __typename
  ... on StartWorkflowPayload { run { id } } ... on Error { code message } } }`

const SHOW = `query($id: ID!) { run(id: $id) { status result error { code message } ... on WorkflowRun {
  steps { key status result error { code } attempts { number status worker } run { blockedBy } } } } }`

interface ShownWorkflow {
  status: string
  result: unknown
  error: { code: string; message: string } | null
  steps: {
    key: string
    status: string
    result: unknown
    attempts: { number: number; status: string; worker: string }[]
    run: { blockedBy: string | null }
  }[]
}

const DEFINITION = {
  name: 'order',
  steps: [
    { key: 'reserve', action: 'reserve', params: { item: '${params.item}' } },
    { key: 'local', action: 'local', params: {} },
    {
      key: 'pay',
      action: 'pay',
      params: { reservation: '${reserve.id}' },
      timeoutMs: 1_234,
      retry: { maxAttempts: 1 },
    },
  ],
}

const local = action('local', { params: z.object({}), run: async () => 'here' })

async function start(server: TestServer, definition: object): Promise<string> {
  const { startWorkflow } = await server.query<{ startWorkflow: { run?: { id: string }; message?: string } }>(START, {
    input: { definition, params: { item: 'book' } },
  })
  if (!startWorkflow.run) throw new Error(startWorkflow.message)
  return startWorkflow.run.id
}

const show = async (server: TestServer, id: string) => (await server.query<{ run: ShownWorkflow }>(SHOW, { id })).run

async function doNext(worker: HandWorker, result: unknown) {
  const [claimed] = await worker.claim({ limit: 1 })
  const ended = await worker.complete(claimed!, result)
  expect(ended).toMatchObject({ replayed: false, run: { status: 'SUCCEEDED' } })
  return claimed!
}

test('steps of a workflow are pulled by remote workers, beside steps of the server', async () => {
  const server = await startTestServer([local])
  const worker = await handWorker(server, ['reserve', 'pay'])
  const id = await start(server, DEFINITION)
  expect(await doNext(worker, { id: 'r1' })).toMatchObject({ name: 'reserve', params: { item: 'book' } })
  expect(await doNext(worker, 'paid')).toMatchObject({ name: 'pay', params: { reservation: 'r1' }, timeoutMs: 1_234 })
  await until(async () => (await show(server, id)).status === 'SUCCEEDED')
  const { steps } = await show(server, id)
  expect(steps.map(({ key, status }) => `${key} ${status}`)).toEqual([
    'reserve SUCCEEDED',
    'local SUCCEEDED',
    'pay SUCCEEDED',
  ])
  expect(steps[0]!.attempts).toMatchObject([{ number: 1, status: 'SUCCEEDED', worker: worker.id }])
})

test("a step's own retry policy decides, not the action's", async () => {
  const server = await startTestServer([local])
  const worker = await handWorker(server, ['reserve', 'pay'])
  const id = await start(server, DEFINITION)
  await doNext(worker, { id: 'r1' })
  const [pay] = await worker.claim()
  expect(await worker.fail(pay!, { error: { message: 'declined', code: 'DECLINED' } })).toMatchObject({
    run: { status: 'FAILED' },
  })
  expect(await worker.fail(pay!)).toMatchObject({ replayed: true })
  await until(async () => (await show(server, id)).status === 'FAILED')
})

test('a step whose workers are gone says why it waits, and is taken by the next one', async () => {
  const server = await startTestServer([local])
  const worker = await handWorker(server, ['reserve', 'pay'])
  const id = await start(server, DEFINITION)
  await worker.stop()
  await until(async () => {
    const [step] = (await show(server, id)).steps
    return step?.status === 'QUEUED' && step.run.blockedBy === 'No live worker has registered the action reserve.'
  })
  const next = await handWorker(server, ['reserve', 'pay'])
  await doNext(next, { id: 'r2' })
  await doNext(next, 'paid')
  await until(async () => (await show(server, id)).status === 'SUCCEEDED')
})

test('what remote workers did is undone by them, last first', async () => {
  const server = await startTestServer([])
  const undoable = ['reserve', 'pay'].map((name) => ({ name, compensate: true }))
  const worker = await handWorker(server, [...undoable, 'ship'])
  const id = await start(server, {
    name: 'order',
    onError: 'compensate',
    steps: [
      { key: 'reserve', action: 'reserve', params: { item: '${params.item}' } },
      { key: 'pay', action: 'pay', params: { of: '${reserve.id}' } },
      { key: 'ship', action: 'ship', params: {}, retry: { maxAttempts: 1 } },
    ],
  })
  const reserved = await doNext(worker, { id: 'r1' })
  await doNext(worker, { charge: 7 })
  const [ship] = await worker.claim()
  await worker.fail(ship!)
  const first = await doNext(worker, null)
  expect(first).toMatchObject({ name: 'pay', operation: 'COMPENSATE', params: { of: 'r1' }, result: { charge: 7 } })
  const second = await doNext(worker, null)
  expect(second).toMatchObject({
    name: 'reserve',
    operation: 'COMPENSATE',
    params: { item: 'book' },
    result: { id: 'r1' },
  })
  expect(second.idempotencyKey).not.toBe(reserved.idempotencyKey)
  await until(async () => (await show(server, id)).status === 'COMPENSATED')
})

test('the steps of a paused workflow are not given out, and those of a canceled one are taken back', async () => {
  const server = await startTestServer([local])
  const worker = await handWorker(server, ['reserve', 'pay'])
  const id = await start(server, DEFINITION)
  await server.query('mutation($input: PauseRunInput!) { pauseRun(input: $input) { __typename } }', { input: { id } })
  expect(await worker.claim({ waitMs: 300 })).toEqual([])
  await server.query('mutation($input: ResumeRunInput!) { resumeRun(input: $input) { __typename } }', { input: { id } })
  const [claimed] = await worker.claim()
  await server.query('mutation($input: CancelRunInput!) { cancelRun(input: $input) { __typename } }', { input: { id } })
  expect(await worker.renew([{ runId: claimed!.runId, attempt: 1 }])).toMatchObject({ lost: [claimed!.runId] })
  expect(await worker.complete(claimed!, 1)).toMatchObject({ code: 'ATTEMPT_LOST' })
})
