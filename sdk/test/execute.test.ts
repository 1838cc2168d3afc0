import { describe, expect, it } from 'vitest'
import { Do, DoError } from '../src/index.ts'
import { fakeServer, json, payload, wireRun } from './support/fake-server.ts'

const answering = async (answer: object, options = {}) => {
  const server = await fakeServer((_, response) => json(response, answer))
  return { ...server, client: new Do({ apiKey: 'key-of-the-test', url: server.url, ...options }) }
}
const executed = (run: object, replayed = false) => payload('executeAction', wireRun(run), replayed)
const refused = (error: object) => ({ data: { executeAction: error } })

describe('execute', () => {
  it('gives the result of a run that succeeded', async () => {
    const { client, requests } = await answering(executed({}))
    const answer = await client.action.execute({ name: 'greet', params: { who: 'you' }, priority: 3 })
    expect(answer).toMatchObject({ result: { greeting: 'hello' }, error: undefined, runId: 'run_1', replayed: false })
    expect(answer.run).toMatchObject({ kind: 'ACTION', name: 'greet' })
    expect(answer.run).not.toHaveProperty('__typename')
    expect(requests[0]?.headers.authorization).toBe('Bearer key-of-the-test')
    expect(requests[0]?.variables.input).toMatchObject({
      name: 'greet',
      params: { who: 'you' },
      priority: 3,
      waitMs: 30_000,
      idempotencyKey: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
    })
  })

  it('gives INVALID_INPUT where plain JavaScript leaves the input out', async () => {
    const { client, requests } = await answering(executed({}))
    const missing = undefined as unknown as { name: string }
    for (const { error } of [await client.action.execute(missing), await client.workflow.start(missing)])
      expect(error).toMatchObject({ code: 'INVALID_INPUT' })
    expect(requests).toEqual([])
  })

  it('makes a new key for each call, and sends the same text for all', async () => {
    const { client, requests } = await answering(executed({}))
    await client.action.execute({ name: 'a' })
    await client.action.execute({ name: 'b' })
    const [one, two] = requests
    expect(one?.variables.input.idempotencyKey).not.toBe(two?.variables.input.idempotencyKey)
    expect(one?.query).toBe(two?.query)
  })

  it('sends the key of the caller and says that the run was there before', async () => {
    const { client, requests } = await answering(executed({}, true))
    const { replayed } = await client.action.execute({ name: 'greet', idempotencyKey: 'order-7' })
    expect(replayed).toBe(true)
    expect(requests[0]?.variables.input.idempotencyKey).toBe('order-7')
  })

  it('takes null for a result', async () => {
    const { client } = await answering(executed({ result: null }))
    expect(await client.action.execute({ name: 'greet' })).toMatchObject({ result: null, error: undefined })
  })

  it('gives the error of a run that failed', async () => {
    const error = { code: 'DECLINED', message: 'no money', retryable: true, details: { limit: 5 } }
    const { client } = await answering(executed({ status: 'FAILED', error, result: null, idempotencyKey: 'k' }))
    const answer = await client.action.execute({ name: 'charge' })
    expect(answer.result).toBeUndefined()
    expect(answer.error).toBeInstanceOf(DoError)
    expect(answer.error).toMatchObject({ ...error, runId: 'run_1', idempotencyKey: 'k' })
    expect(answer.run?.status).toBe('FAILED')
  })

  it.each(['CANCELED', 'INDETERMINATE'])('gives %s as the code of a run that ended so', async (status) => {
    const error = { code: 'WORKER_LOST', message: 'gone', retryable: true, details: null }
    const { client } = await answering(executed({ status, error, result: null }))
    const answer = await client.action.execute({ name: 'charge' })
    expect(answer.error).toMatchObject({ code: status, message: 'gone', retryable: false, runId: 'run_1' })
  })

  it('gives the refusals of the server as errors', async () => {
    const issues = [{ path: 'user.emails.0', message: 'not an address' }]
    const { client } = await answering(refused({ code: 'INVALID_PARAMS', message: 'the params do not fit', issues }))
    const { error, runId, run, replayed } = await client.action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'INVALID_PARAMS', message: 'the params do not fit', issues, retryable: false })
    expect([runId, run, replayed]).toEqual([undefined, undefined, undefined])
  })

  it('names the run that has the key of a mismatch', async () => {
    const { client } = await answering(
      refused({ code: 'IDEMPOTENCY_MISMATCH', message: 'other params', keptBy: { id: 'run_9' } }),
    )
    const { error, runId } = await client.action.execute({ name: 'greet', idempotencyKey: 'k' })
    expect(error).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', runId: 'run_9', idempotencyKey: 'k' })
    expect(runId).toBe('run_9')
  })

  it('says that a limit was hit, and that trying again may help', async () => {
    const { client, requests } = await answering(refused({ code: 'RATE_LIMITED', message: 'slow down' }))
    expect((await client.action.execute({ name: 'greet' })).error).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
    })
    expect(requests).toHaveLength(1)
  })

  it('gives faults of the request by their GraphQL code', async () => {
    const errors = [{ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }]
    const { client, requests } = await answering({ data: null, errors })
    const { error } = await client.action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', message: 'Unexpected error.', retryable: false })
    expect(requests).toHaveLength(1)
  })

  it('refuses what JSON cannot carry without asking the server', async () => {
    const { client, requests } = await answering(executed({}))
    expect((await client.action.execute({ name: 'greet', params: { n: 1n } })).error?.code).toBe('INVALID_INPUT')
    const wrongTime = await client.action.execute({ name: 'greet', runAt: new Date('soon') })
    expect(wrongTime.error).toMatchObject({ code: 'INVALID_INPUT', details: { path: 'runAt' } })
    expect((await client.action.execute({ name: 'greet', waitMs: Number.NaN })).error?.code).toBe('INVALID_INPUT')
    expect(requests).toHaveLength(0)
  })

  it('keeps message and code when an error is logged as JSON', async () => {
    const { client } = await answering(refused({ code: 'ACTION_NOT_FOUND', message: 'no such action' }))
    const { error } = await client.action.execute({ name: 'greet' })
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'ACTION_NOT_FOUND', message: 'no such action' })
    expect(String(error)).toBe('DoError: no such action')
  })

  it.each([
    [401, { error: 'no' }, 'UNAUTHENTICATED'],
    [401, { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] }, 'UNAUTHENTICATED'],
    [413, {}, 'PAYLOAD_TOO_LARGE'],
    [500, {}, 'BAD_RESPONSE'],
    [400, { errors: [{ message: 'bad', extensions: { code: 'BAD_USER_INPUT' } }] }, 'BAD_USER_INPUT'],
  ])('gives HTTP %i %j as %s at once', async (status, body, code) => {
    const server = await fakeServer((_, response) => json(response, body, status))
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code, retryable: false })
    expect(server.requests).toHaveLength(1)
  })

  it('says so when the endpoint is something else', async () => {
    const server = await fakeServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hello</h1>')
    })
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'BAD_RESPONSE', message: expect.stringContaining(server.url) })
  })
})
