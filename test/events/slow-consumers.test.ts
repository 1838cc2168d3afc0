import { request } from 'node:http'
import type { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { showRunId } from '../../src/core/ids.ts'
import { action } from '../../src/index.ts'
import { insertEndedRun, oneTo, openSse, openStreams, seqsOf, WATCH } from '../support/event-streams.ts'
import { submit } from '../support/runs.ts'
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** As many as fill every buffer between server and client several times. */
const EVENTS = 2_000
const BYTES = 10_000

test('a consumer that takes nothing holds no more than its buffer, and loses nothing', async () => {
  const server = await startTestServer([])
  const { streams, hub } = server.executor
  const id = await insertEndedRun(server, 1_000)
  const slow = streams.subscribe(id, id, 0)
  await until(() => openStreams(server)[0]?.held !== 0)
  const quick: number[] = []
  for await (const { seq } of streams.subscribe(id, id, 0)) {
    quick.push(seq)
    hub.wakeEveryone()
  }
  expect(quick).toEqual(oneTo(1_000))
  const [subscriber] = openStreams(server)
  expect(subscriber?.held).toBe(200)
  expect(subscriber?.cursor).toBe(200)
  const taken: number[] = []
  for await (const { seq } of slow) {
    taken.push(seq)
    expect(subscriber?.held).toBeLessThan(201)
  }
  expect(taken).toEqual(oneTo(1_000))
})

test('what a consumer has not taken stays, also when it is woken while it is read for', async () => {
  const server = await startTestServer([])
  const { streams, hub } = server.executor
  const id = await insertEndedRun(server, 1_000)
  const slow = streams.subscribe(id, id, 0)
  while (slow.held === 0) {
    hub.wakeEveryone()
    await new Promise((resolve) => setImmediate(resolve))
  }
  // reads that come after
  for await (const _ of streams.subscribe(id, id, 0)) hub.wakeEveryone()
  expect(slow.held).toBe(200)
  const taken: number[] = []
  for await (const { seq } of slow) taken.push(seq)
  expect(taken).toEqual(oneTo(1_000))
})

interface Client {
  pause(): void
  resume(): void
  /** The seqs that have arrived; all of them once `done` resolves. */
  readonly seqs: number[]
  readonly done: Promise<unknown>
}

function connectSse(server: TestServer, id: string): Promise<Client> {
  const body = JSON.stringify({ query: WATCH, variables: { id } })
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${API_KEY}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = request(server.url, { method: 'POST', headers }, (response: Readable) => {
      const seqs: number[] = []
      let rest = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const seq = /"seq":(\d+)/.exec(block)?.[1]
          if (seq) seqs.push(Number(seq))
        }
      })
      const done = new Promise((end) => response.on('close', end))
      resolve({ seqs, done, pause: () => response.pause(), resume: () => response.resume() })
    })
    sent.on('error', reject).end(body)
  })
}

function connectWebSocket(server: TestServer, id: string): Promise<Client> {
  const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws')
  const seqs: number[] = []
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: API_KEY } })))
    const done = new Promise((end) => {
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(String(data))
        if (type === 'connection_ack')
          socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: WATCH, variables: { id } } }))
        if (type === 'next' && seqs.push(payload.data.runEvents.seq) === 1)
          resolve({ seqs, done, pause: () => socket.pause(), resume: () => socket.resume() })
        if (type === 'complete') end(socket.close())
      })
    })
  })
}

describe.each([
  ['server-sent events', connectSse],
  ['WebSocket', connectWebSocket],
])('over %s', (_, connect) => {
  test('a client that stops reading stops the stream too, and then gets everything', async () => {
    const server = await startTestServer([])
    const id = await insertEndedRun(server, EVENTS, BYTES)
    const client = await connect(server, showRunId(id))
    client.pause()
    const cursor = () => openStreams(server)[0]?.cursor
    let before: number | undefined
    // it has come to a standstill when a thousand rounds of the event loop have not moved it
    for (let rounds = 0; rounds < 1_000; rounds++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (cursor() !== before) rounds = 0
      before = cursor()
    }
    expect(openStreams(server)).toHaveLength(1)
    expect(before).toBeLessThan(EVENTS)
    client.resume()
    await client.done
    expect(client.seqs).toEqual(oneTo(EVENTS))
    await until(() => openStreams(server).length === 0)
  })

  test('a client that does not read does not hold up the stop of the server', async () => {
    const server = await startTestServer([])
    const id = await insertEndedRun(server, EVENTS, BYTES)
    const client = await connect(server, showRunId(id))
    client.pause()
    await until(() => openStreams(server).length === 1)
    const begun = performance.now()
    await server.stop()
    expect(performance.now() - begun).toBeLessThan(3_000)
    expect(openStreams(server)).toEqual([])
  })
})

test('a client that stops reading holds up nobody else who watches the run', async () => {
  const server = await startTestServer([])
  const id = await insertEndedRun(server, EVENTS, BYTES)
  const slow = await connectWebSocket(server, showRunId(id))
  slow.pause()
  const quick = await connectWebSocket(server, showRunId(id))
  await quick.done
  expect(quick.seqs).toEqual(oneTo(EVENTS))
  expect(openStreams(server)).toHaveLength(1)
  slow.resume()
  await slow.done
  expect(slow.seqs).toEqual(oneTo(EVENTS))
})

test('a client that leaves before anything has come is let go', async () => {
  const held = action('held', { run: () => new Promise(() => {}) })
  const server = await startTestServer([held], { shutdownTimeoutMs: 0 })
  const id = await submit(server, { name: 'held' })
  const connection = new AbortController()
  // the only event is not asked for: nothing ever comes
  const sse = openSse(server.url, { query: WATCH, variables: { id, after: 1 } }, connection.signal).catch(() => {})
  await until(() => openStreams(server).length === 1)
  connection.abort()
  await sse
  await until(() => openStreams(server).length === 0)
  expect(server.executor.hub.watching).toBe(false)
})

test('two readers of one stream at different places get what is theirs from one query', async () => {
  const server = await startTestServer([])
  const id = await insertEndedRun(server, 500)
  const { streams } = server.executor
  const read = async (after: number) => {
    const seen = []
    for await (const event of streams.subscribe(id, id, after)) seen.push(event)
    return seqsOf(seen)
  }
  const [all, some, none] = await Promise.all([read(0), read(350), read(500)])
  expect(all).toEqual(oneTo(500))
  expect(some).toEqual(oneTo(500).slice(350))
  expect(none).toEqual([])
})
