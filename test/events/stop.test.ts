import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { action } from '../../src/index.ts'
import { collect, openStreams, watchSse } from '../support/event-streams.ts'
import { latch, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { webSocketClient } from '../support/subscriptions.ts'
import { until } from '../support/until.ts'

const held = () => {
  const go = latch()
  return { go, actions: [action('held', { run: () => go.opened })] }
}

test('when the server stops, server-sent events break off without `complete`, to be taken up elsewhere', async () => {
  const { go, actions } = held()
  const server = await startTestServer(actions)
  const other = await startTestServer(actions, { databaseUrl: server.databaseUrl })
  const id = await submit(server, { name: 'held' })
  const stream = watchSse(server.url, id)
  await stream.next()
  const rest = collect(stream)
  const stopped = server.stop()
  expect(await rest).toEqual({ events: [], ended: 'broken' })
  go.open()
  await stopped
  const { events, ended } = await collect(watchSse(other.url, id, 1))
  expect(events.at(-1)).toMatchObject({ to: 'SUCCEEDED' })
  expect(ended).toBe('completed')
})

test('when the server stops, WebSockets close with 1012, idle ones and those with a subscription', async () => {
  const { go, actions } = held()
  const server = await startTestServer(actions)
  const id = await submit(server, { name: 'held' })
  const idle = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws')
  const idleCode = new Promise((resolve) => idle.on('close', resolve))
  await new Promise((resolve) => idle.on('open', resolve))
  const client = webSocketClient(server.url)
  const subscribedCode = new Promise((resolve) => client.on('closed', (event) => resolve((event as CloseEvent).code)))
  const results: unknown[] = []
  client.subscribe(
    { query: 'subscription($id: ID!) { runEvents(id: $id) { seq } }', variables: { id } },
    { next: (result) => results.push(result), error: () => {}, complete: () => results.push('complete') },
  )
  await until(() => results.length === 1)
  const stopped = server.stop()
  expect(await Promise.all([idleCode, subscribedCode])).toEqual([1012, 1012])
  go.open()
  await stopped
  expect(results).toEqual([{ data: { runEvents: { seq: 1 } } }])
  expect(openStreams(server)).toEqual([])
})

test('a server that stops takes no new connections and says that it is not ready', async () => {
  const { go, actions } = held()
  const server = await startTestServer(actions)
  await submit(server, { name: 'held' })
  const stopped = server.stop()
  await expect(fetch(new URL('/health/ready', server.url))).rejects.toThrow()
  go.open()
  await stopped
})

interface CloseEvent {
  code: number
}
