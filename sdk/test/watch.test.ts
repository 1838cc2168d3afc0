import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Do, type RunEvent } from '../src/index.ts'
import { COMPLETE, deadUrl, fakeServer, json, next, openStream, wireEvent } from './support/fake-server.ts'

const seqs = async (events: AsyncIterable<RunEvent>): Promise<number[]> => {
  const seen: number[] = []
  for await (const event of events) seen.push(event.seq)
  return seen
}

// no jitter: the delays of the backoff are 0
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('watch', () => {
  it('yields the events until the stream is complete', async () => {
    const server = await fakeServer((_, response) => {
      openStream(response)
      response.end(`${next(wireEvent(1), wireEvent(2, { to: 'SUCCEEDED' }))}:\n\n${COMPLETE}`)
    })
    const events: RunEvent[] = []
    for await (const event of new Do({ url: server.url, apiKey: 'secret' }).run.watch('run_1')) events.push(event)
    expect(events).toMatchObject([
      { seq: 1, to: 'RUNNING' },
      { seq: 2, to: 'SUCCEEDED' },
    ])
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]).toMatchObject({
      headers: { accept: 'text/event-stream', authorization: 'Bearer secret' },
      variables: { id: 'run_1', after: 0 },
    })
  })

  it('takes a connection that ends without complete for a broken one, and goes on after the last event', async () => {
    const server = await fakeServer((_, response, n) => {
      openStream(response)
      if (n === 0) response.end(next(wireEvent(4), wireEvent(7)))
      else if (n === 1) response.write(`${next(wireEvent(9))}event: next\ndata: {"da`, () => response.destroy())
      else response.end(next(wireEvent(9), wireEvent(12)) + COMPLETE)
    })
    expect(await seqs(new Do({ url: server.url }).run.watch('run_1', { after: 3 }))).toEqual([4, 7, 9, 12])
    expect(server.requests.map((request) => request.variables.after)).toEqual([3, 7, 9])
  })

  it('outlives a server that restarts', async () => {
    const server = await fakeServer((_, response, n) => {
      if (n === 1) return void response.destroy()
      if (n === 2) return json(response, {}, 503)
      openStream(response)
      if (n === 0) return void response.end(next(wireEvent(1)))
      if (n > 3) return void response.end(next(wireEvent(2)) + COMPLETE)
      const errors = [{ message: 'stopping', extensions: { code: 'SERVICE_UNAVAILABLE' } }]
      response.end(`event: next\ndata: ${JSON.stringify({ errors })}\n\n${COMPLETE}`)
    })
    expect(await seqs(new Do({ url: server.url, retries: 0 }).run.watch('run_1'))).toEqual([1, 2])
    expect(server.requests).toHaveLength(5)
  })

  it('drops what it has seen already', async () => {
    const server = await fakeServer((_, response) => {
      openStream(response)
      response.end(next(wireEvent(5), wireEvent(5), wireEvent(2), wireEvent(8)) + COMPLETE)
    })
    expect(await seqs(new Do({ url: server.url }).run.watch('run_1', { after: 4 }))).toEqual([5, 8])
  })

  it('throws the errors of the stream', async () => {
    const errors = [{ message: 'there is no such run', extensions: { code: 'RUN_NOT_FOUND' } }]
    const server = await fakeServer((_, response) => {
      openStream(response)
      response.end(`event: next\ndata: ${JSON.stringify({ errors })}\n\n${COMPLETE}`)
    })
    const watching = seqs(new Do({ url: server.url }).run.watch('run_x'))
    await expect(watching).rejects.toMatchObject({ name: 'DoError', code: 'RUN_NOT_FOUND', runId: 'run_x' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    [401, {}, 'UNAUTHENTICATED'],
    [
      200,
      { errors: [{ message: 'bad', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [200, { data: {} }, 'BAD_RESPONSE'],
  ])('throws the answer %i %j at once', async (status, body, code) => {
    const server = await fakeServer((_, response) => json(response, body, status))
    await expect(seqs(new Do({ url: server.url }).run.watch('run_1'))).rejects.toMatchObject({ code })
    expect(server.requests).toHaveLength(1)
  })

  it('gives up when nobody was ever there', async () => {
    const client = new Do({ url: await deadUrl(), retries: 2 })
    await expect(seqs(client.run.watch('run_1'))).rejects.toMatchObject({ code: 'NETWORK_ERROR', retryable: true })
  })

  it('closes the connection when the loop is left', async () => {
    const server = await fakeServer((_, response) => {
      openStream(response)
      response.write(next(wireEvent(1), wireEvent(2)))
    })
    for await (const event of new Do({ url: server.url }).run.watch('run_1')) if (event.seq === 1) break
    await server.requests[0]?.closed
    expect(server.requests).toHaveLength(1)
  })

  it('can be returned from while it waits', async () => {
    const server = await fakeServer((_, response) => openStream(response))
    const events = new Do({ url: server.url }).run.watch('run_1')
    const waiting = events.next()
    await vi.waitUntil(() => server.requests.length > 0)
    await events.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await server.requests[0]?.closed
  })

  it('ends without an error when the signal aborts', async () => {
    const abort = new AbortController()
    const server = await fakeServer((_, response) => {
      openStream(response)
      response.write(next(wireEvent(1)))
    })
    const seen: number[] = []
    for await (const event of new Do({ url: server.url }).run.watch('run_1', { signal: abort.signal })) {
      seen.push(event.seq)
      setTimeout(() => abort.abort())
    }
    expect(seen).toEqual([1])
    await server.requests[0]?.closed
    expect(await seqs(new Do({ url: server.url }).run.watch('run_1', { signal: abort.signal }))).toEqual([])
    expect(server.requests).toHaveLength(1)
  })
})

describe('a connection without a sign of life', () => {
  const stream = (pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void): Response =>
    new Response(new ReadableStream({ start: pull }), { headers: { 'content-type': 'text/event-stream' } })
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

  it('is replaced after 45 s, and not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const fetch = vi
      .fn()
      .mockResolvedValueOnce(
        stream((controller) => {
          controller.enqueue(bytes(':\n\n'))
          setTimeout(() => controller.enqueue(bytes(':\n\n')), 44_000)
        }),
      )
      .mockResolvedValueOnce(stream((controller) => controller.enqueue(bytes(next(wireEvent(1)) + COMPLETE))))
    const watching = seqs(new Do({ fetch }).run.watch('run_1'))
    await vi.advanceTimersByTimeAsync(44_000 + 44_000)
    expect(fetch).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1_100)
    expect(await watching).toEqual([1])
    expect(fetch.mock.calls[0]?.[1].signal.aborted).toBe(true)
  })

  it('is given up when the server has been away for 5 minutes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    vi.mocked(Math.random).mockReturnValue(0.5)
    const fetch = vi.fn().mockRejectedValue(new TypeError('fetch failed'))
    fetch.mockResolvedValueOnce(stream((controller) => controller.close()))
    const watching = seqs(new Do({ fetch }).run.watch('run_1')).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(299_000)
    expect(fetch.mock.calls.length).toBeGreaterThan(50)
    await vi.advanceTimersByTimeAsync(12_000)
    expect(await watching).toMatchObject({ code: 'NETWORK_ERROR' })
  })
})
