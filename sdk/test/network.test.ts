import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Do } from '../src/index.ts'
import { deadUrl, type FakeRequest, fakeServer, json, payload, wireRun } from './support/fake-server.ts'

const success = payload('executeAction', wireRun())
const keys = (requests: FakeRequest[]) => new Set(requests.map((request) => request.variables.input.idempotencyKey))

// no jitter: the delays of the backoff are 0
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  return () => vi.restoreAllMocks()
})

describe('a request that gets lost', () => {
  it('is repeated under one key, so that it executes once', async () => {
    const executions = new Map<unknown, number>()
    const server = await fakeServer((request, response, n) => {
      const key = request.variables.input.idempotencyKey
      const replayed = executions.has(key)
      if (!replayed) executions.set(key, 1)
      // executed, and the connection dropped before the answer, in mid-headers, and in mid-body
      if (n === 0) response.destroy()
      else if (n === 1) response.socket?.end('HTTP/1.1 200 OK\r\ncontent-ty')
      else if (n === 2) response.writeHead(200, { 'content-length': '500' }).write('{"data":', () => response.destroy())
      else json(response, payload('executeAction', wireRun(), replayed))
    })
    const answer = await new Do({ url: server.url }).action.execute({ name: 'greet' })
    expect(answer).toMatchObject({ result: { greeting: 'hello' }, replayed: false })
    expect(server.requests).toHaveLength(4)
    expect(executions.size).toBe(1)
  })

  it.each([408, 429, 502, 503, 504])('is repeated after HTTP %i', async (status) => {
    const server = await fakeServer((_, response, n) => (n < 2 ? json(response, {}, status) : json(response, success)))
    expect((await new Do({ url: server.url }).action.execute({ name: 'greet' })).error).toBeUndefined()
    expect(server.requests).toHaveLength(3)
    expect(keys(server.requests).size).toBe(1)
  })

  it.each([{ code: 'SERVICE_UNAVAILABLE' }, { code: 'WHATEVER', retryable: true }])(
    'is repeated after the GraphQL error %j',
    async (extensions) => {
      const server = await fakeServer((_, response, n) =>
        json(response, n === 0 ? { errors: [{ message: 'in a moment', extensions }] } : success),
      )
      expect((await new Do({ url: server.url }).action.execute({ name: 'greet' })).error).toBeUndefined()
      expect(server.requests).toHaveLength(2)
    },
  )

  it('is repeated after JSON that was cut', async () => {
    const server = await fakeServer((_, response, n) => {
      if (n > 0) return json(response, success)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"exec')
    })
    expect((await new Do({ url: server.url }).action.execute({ name: 'greet' })).error).toBeUndefined()
  })

  it('becomes NETWORK_ERROR when all repetitions are lost, with the key to go on with', async () => {
    const server = await fakeServer((_, response) => void response.destroy())
    const { error } = await new Do({ url: server.url, retries: 2 }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', retryable: true, runId: undefined })
    expect(error?.idempotencyKey).toBe([...keys(server.requests)][0])
    expect(error?.cause).toBeInstanceOf(Error)
    expect(server.requests).toHaveLength(3)
  })

  it('says why nobody could be reached', async () => {
    const { error } = await new Do({ url: await deadUrl() }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', message: expect.stringContaining('ECONNREFUSED') })
  })

  it('stays SERVICE_UNAVAILABLE when the server does not recover', async () => {
    const server = await fakeServer((_, response) => json(response, {}, 503))
    const { error } = await new Do({ url: server.url, retries: 1 }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true })
  })
})

describe('Retry-After', () => {
  it('is honoured', async () => {
    const at: number[] = []
    const server = await fakeServer((_, response, n) => {
      at.push(performance.now())
      if (n === 0) json(response, {}, 429, { 'retry-after': '1' })
      else json(response, success)
    })
    expect((await new Do({ url: server.url }).action.execute({ name: 'greet' })).error).toBeUndefined()
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(990)
  })

  it('is reported at once when it lies beyond the time of the call', async () => {
    const server = await fakeServer((_, response) => json(response, {}, 429, { 'retry-after': '3600' }))
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 3_600_000 })
    expect(server.requests).toHaveLength(1)
  })
})

describe('an abort', () => {
  it('closes the request that is under way', async () => {
    const abort = new AbortController()
    const server = await fakeServer(() => abort.abort())
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet', signal: abort.signal })
    expect(error).toMatchObject({ code: 'ABORTED', retryable: false, idempotencyKey: expect.any(String) })
    await server.requests[0]?.closed
  })

  it('ends the pause before a repetition', async () => {
    const abort = new AbortController()
    const server = await fakeServer((_, response) => {
      json(response, {}, 503, { 'retry-after': '30' })
      setTimeout(() => abort.abort(), 50)
    })
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet', signal: abort.signal })
    expect(error?.code).toBe('ABORTED')
    expect(server.requests).toHaveLength(1)
  })

  it('before the call sends nothing', async () => {
    const server = await fakeServer((_, response) => json(response, success))
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet', signal: AbortSignal.abort() })
    expect(error?.code).toBe('ABORTED')
    expect(server.requests).toHaveLength(0)
  })
})
