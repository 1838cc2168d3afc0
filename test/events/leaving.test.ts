import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { action } from '../../src/index.ts'
import { oneTo, openStreams, WATCH } from '../support/event-streams.ts'
import { latch, submit } from '../support/runs.ts'
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** A socket with some subscriptions, each of which has got the event that was there. */
async function watching({ url }: TestServer, id: string, subscriptions: number): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
  const send = (message: object) => socket.send(JSON.stringify(message))
  let arrived = 0
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => send({ type: 'connection_init', payload: { apiKey: API_KEY } }))
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data))
      const payload = { query: WATCH, variables: { id } }
      if (type === 'connection_ack')
        for (const n of oneTo(subscriptions)) send({ type: 'subscribe', id: `${n}`, payload })
      if (type === 'next' && ++arrived === subscriptions) resolve()
    })
  })
  return socket
}

test('of a thousand subscriptions whose clients are cut off, nothing is left', async () => {
  const held = action('held', { run: () => new Promise(() => {}) })
  const server = await startTestServer([held], { shutdownTimeoutMs: 0 })
  const id = await submit(server, { name: 'held' })
  const sockets: WebSocket[] = []
  for (const _ of oneTo(20)) sockets.push(...(await Promise.all(oneTo(25).map(() => watching(server, id, 2)))))
  const streams = openStreams(server).map((stream) => new WeakRef(stream))
  expect(streams).toHaveLength(1_000)
  for (const socket of sockets) socket.terminate()
  await until(() => openStreams(server).length === 0)
  expect(server.executor.hub.watching).toBe(false)
  await until(() => {
    collectGarbage()
    return streams.every((stream) => stream.deref() === undefined)
  })
})

test('a client that completes its subscription is let go, and its socket goes on', async () => {
  const go = latch()
  const held = action('held', { run: () => go.opened })
  const server = await startTestServer([held])
  const id = await submit(server, { name: 'held' })
  const socket = await watching(server, id, 2)
  const seen: string[] = []
  socket.on('message', (data) => {
    const { type, id: operation } = JSON.parse(String(data))
    if (operation) seen.push(`${type} ${operation}`)
  })
  socket.send(JSON.stringify({ type: 'complete', id: '1' }))
  await until(() => openStreams(server).length === 1)
  go.open()
  await until(() => seen.includes('complete 2'))
  expect(seen).toEqual(['next 2', 'complete 2'])
  socket.close()
})
