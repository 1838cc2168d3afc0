import { describe, expect, it, vi } from 'vitest'
import { Do, type Run } from '../src/index.ts'
import { COMPLETE, fakeServer, json, next, openStream, payload, wireEvent, wireRun } from './support/fake-server.ts'

const looked = (run: object | null) => ({ data: { run } })

describe('get', () => {
  it('gives the run', async () => {
    const server = await fakeServer((_, response) => json(response, looked(wireRun({ __typename: 'WorkflowRun' }))))
    const { run, error } = await new Do({ url: server.url }).run.get('run_1')
    expect(run).toMatchObject({ id: 'run_1', kind: 'WORKFLOW', status: 'SUCCEEDED' })
    expect(error).toBeUndefined()
  })

  it('gives RUN_NOT_FOUND for an unknown one', async () => {
    const server = await fakeServer((_, response) => json(response, looked(null)))
    const { run, error } = await new Do({ url: server.url }).run.get('run_x')
    expect(run).toBeUndefined()
    expect(error).toMatchObject({ code: 'RUN_NOT_FOUND', runId: 'run_x', retryable: false })
  })
})

describe('without a run', () => {
  it('gives INVALID_INPUT, and sends nothing', async () => {
    const server = await fakeServer((_, response) => json(response, looked(null)))
    const { run } = new Do({ url: server.url })
    // as plain JavaScript may call it: the run of an answer that had none
    const none = undefined as unknown as Run
    const answers = [
      run.get(none),
      run.steps(none),
      run.preview(none),
      run.wait(none),
      run.cancel(none),
      run.retry(none),
    ]
    for (const { error } of await Promise.all(answers))
      expect(error).toMatchObject({ code: 'INVALID_INPUT', runId: undefined, details: { path: 'id' } })
    expect(server.requests).toEqual([])
  })
})

describe.each([
  ['retry', 'retryRun', { step: 'payment', params: { card: 2 }, newKey: true, reason: 'card replaced' }],
  ['cancel', 'cancelRun', { reason: 'mistake' }],
  ['signal', 'signalRun', { name: 'approved', payload: { by: 'ann' } }],
  ['pause', 'pauseRun', { reason: 'the bank is down' }],
  ['resume', 'resumeRun', { reason: 'the bank is back' }],
  ['skip', 'skipStep', { step: 'each[2]/mail', result: { sent: true }, reason: 'sent by hand' }],
  ['resolve', 'resolveRun', { step: 'payment', outcome: 'SUCCEEDED', result: 1, reason: 'seen at the bank' }],
  ['fork', 'forkRun', { fromStep: 'payment', reason: 'once more' }],
] as const)('%s', (method, field, options) => {
  const call = (client: Do, more: object = {}) =>
    // one call for all: the union of their options is not the options of each
    (client.run[method] as (id: string, options: object) => ReturnType<typeof client.run.cancel>)('run_1', {
      ...options,
      ...more,
    })

  it('gives the run as it then stands', async () => {
    const server = await fakeServer((_, response) => json(response, payload(field, wireRun({ status: 'QUEUED' }))))
    const answer = await call(new Do({ url: server.url }))
    expect(answer).toMatchObject({ run: { status: 'QUEUED' }, runId: 'run_1', replayed: false, error: undefined })
    expect(server.requests[0]?.variables.input).toEqual({ id: 'run_1', ...options, idempotencyKey: expect.any(String) })
  })

  it('keeps its key over lost requests', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const server = await fakeServer((_, response, n) =>
      n === 0 ? void response.destroy() : json(response, payload(field, wireRun(), true)),
    )
    expect(await call(new Do({ url: server.url }))).toMatchObject({ replayed: false, error: undefined })
    const keys = server.requests.map((request) => request.variables.input.idempotencyKey)
    expect(keys).toEqual([keys[0], keys[0]])
    vi.restoreAllMocks()
  })

  it('gives what the server refuses as an error', async () => {
    const refusal = { code: 'INVALID_TRANSITION', message: 'it has ended', currentStatus: 'SUCCEEDED' }
    const server = await fakeServer((_, response) => json(response, { data: { [field]: refusal } }))
    const { run, error } = await call(new Do({ url: server.url }), { idempotencyKey: 'mine' })
    expect(run).toBeUndefined()
    expect(error).toMatchObject({
      code: 'INVALID_TRANSITION',
      runId: 'run_1',
      idempotencyKey: 'mine',
      details: { status: 'SUCCEEDED' },
    })
  })
})

describe('steps', () => {
  it('gives the steps of a workflow with the number of their attempts', async () => {
    const step = { key: 'a', index: null, dependsOn: [], status: 'SUCCEEDED', result: 1, error: null }
    const ofRun = { params: { n: 1 }, startedAt: '2026-01-31T12:00:00.000Z', finishedAt: '2026-01-31T12:00:01.000Z' }
    const wire = { ...step, run: { id: 'run_2', ...ofRun }, attempts: [{ number: 1 }, { number: 2 }] }
    const server = await fakeServer((_, response) =>
      json(response, looked({ __typename: 'WorkflowRun', steps: [wire] })),
    )
    const { steps } = await new Do({ url: server.url }).run.steps('run_1')
    expect(steps).toEqual([{ ...step, ...ofRun, runId: 'run_2', attempts: 2 }])
  })

  it('gives none of a single action, and RUN_NOT_FOUND for no run', async () => {
    const server = await fakeServer(({ variables }, response) =>
      json(response, looked(variables.id === 'run_1' ? { __typename: 'ActionRun' } : null)),
    )
    const client = new Do({ url: server.url })
    expect(await client.run.steps('run_1')).toEqual({ steps: [], error: undefined })
    expect((await client.run.steps('run_x')).error).toMatchObject({ code: 'RUN_NOT_FOUND', runId: 'run_x' })
  })
})

describe('preview', () => {
  it('gives what a retry would do', async () => {
    const run = { id: 'run_2', name: 'pay', status: 'FAILED', stepKey: 'payment' }
    const preview = { again: [run], next: [], kept: [], unsafe: [run] }
    const server = await fakeServer((_, response) => json(response, { data: { retryPreview: preview } }))
    const answer = await new Do({ url: server.url }).run.preview('run_1', { step: 'payment' })
    expect(answer).toEqual({ preview, error: undefined })
    expect(server.requests[0]?.variables).toEqual({ id: 'run_1', step: 'payment' })
  })

  it('gives why the retry would be refused', async () => {
    const refusal = { code: 'INVALID_TRANSITION', message: 'it has succeeded', currentStatus: 'SUCCEEDED' }
    const server = await fakeServer((_, response) => json(response, { data: { retryPreview: refusal } }))
    const { error } = await new Do({ url: server.url }).run.preview('run_1')
    expect(error).toMatchObject({ code: 'INVALID_TRANSITION', runId: 'run_1', details: { status: 'SUCCEEDED' } })
  })
})

describe('wait', () => {
  const isStream = (query: string): boolean => query.startsWith('subscription')

  it('gives the outcome as soon as the event arrives', async () => {
    let run = wireRun({ status: 'RUNNING', result: null, lastSeq: 4 })
    const server = await fakeServer(({ query }, response) => {
      if (!isStream(query)) return json(response, looked(run))
      openStream(response)
      response.write(next(wireEvent(5, { runId: 'run_2', to: 'SUCCEEDED' })))
      setTimeout(() => {
        run = wireRun({ lastSeq: 6 })
        response.write(next(wireEvent(6, { to: 'SUCCEEDED' })))
      }, 50)
    })
    const answer = await new Do({ url: server.url }).run.wait({ ...run, id: 'run_1' } as unknown as Run)
    expect(answer).toMatchObject({ result: { greeting: 'hello' }, error: undefined, runId: 'run_1' })
    expect(server.requests).toHaveLength(3)
    expect(server.requests[1]?.variables).toEqual({ id: 'run_1', after: 4 })
    await server.requests[1]?.closed
  })

  it('gives the failure of a run that had ended before', async () => {
    const error = { code: 'DECLINED', message: 'no money', retryable: false, details: null }
    const server = await fakeServer((_, response) => json(response, looked(wireRun({ status: 'FAILED', error }))))
    const answer = await new Do({ url: server.url }).run.wait('run_1')
    expect(answer.error).toMatchObject({ code: 'DECLINED', message: 'no money', details: undefined })
  })

  it('becomes TIMEOUT with the run as it stands', async () => {
    const server = await fakeServer(({ query }, response) =>
      isStream(query) ? openStream(response) : json(response, looked(wireRun({ status: 'WAITING' }))),
    )
    const answer = await new Do({ url: server.url }).run.wait('run_1', { timeout: 100 })
    expect(answer).toMatchObject({ error: { code: 'TIMEOUT', runId: 'run_1' }, run: { status: 'WAITING' } })
    await server.requests[1]?.closed
  })

  it('does not turn in circles when the stream is over and the run will never start', async () => {
    const server = await fakeServer(({ query }, response) => {
      if (!isStream(query)) return json(response, looked(wireRun({ status: 'PENDING' })))
      openStream(response)
      response.end(COMPLETE)
    })
    const { error } = await new Do({ url: server.url }).run.wait('run_1', { timeout: 300 })
    expect(error?.code).toBe('TIMEOUT')
    expect(server.requests).toHaveLength(3)
  })

  it('ends with ABORTED when the signal aborts', async () => {
    const abort = new AbortController()
    const server = await fakeServer(({ query }, response) => {
      if (!isStream(query)) return json(response, looked(wireRun({ status: 'RUNNING' })))
      openStream(response)
      setTimeout(() => abort.abort(), 20)
    })
    const { error } = await new Do({ url: server.url }).run.wait('run_1', { signal: abort.signal })
    expect(error).toMatchObject({ code: 'ABORTED', runId: 'run_1' })
  })
})
