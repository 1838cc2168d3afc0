import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { ClientSocket } from '../../src/server/client-socket.ts'

/** A client that is there or not, and what the server did with it. */
function fakeClient() {
  const did: string[] = []
  const connection = new PassThrough({ highWaterMark: 100 })
  const client = Object.assign(new EventEmitter(), {
    ping: () => did.push('ping'),
    terminate: () => did.push('terminate'),
    send: (text: string) => connection.write(text),
  })
  return { did, client, connection, socket: new ClientSocket(client as unknown as WebSocket, connection) }
}

const pass = (socket: ClientSocket, seconds: number) => {
  for (let i = 0; i < seconds; i++) socket.secondPassed()
}

test('a client is asked for a sign of life every 12 seconds, and stays while it gives one', () => {
  const { did, client, socket } = fakeClient()
  for (let i = 0; i < 3; i++) {
    pass(socket, 12)
    client.emit('pong')
  }
  expect(did).toEqual(['ping', 'ping', 'ping'])
})

test('a client that gives no sign of life for as long again is cut', () => {
  const { did, socket } = fakeClient()
  pass(socket, 23)
  expect(did).toEqual(['ping'])
  pass(socket, 1)
  expect(did).toEqual(['ping', 'terminate'])
})

test('what is pushed in one turn of the event loop is written at once, in order', async () => {
  const { connection, socket } = fakeClient()
  const writes: string[] = []
  connection.on('data', (data) => writes.push(String(data)))
  for (const text of ['a', 'b', 'c']) socket.push(text)
  expect(connection.writableCorked).toBe(1)
  await new Promise((resolve) => process.nextTick(resolve))
  expect(connection.writableCorked).toBe(0)
  expect(writes.join('')).toBe('abc')
})

test('a client that takes nothing has no room until it has taken everything', async () => {
  const { connection, socket } = fakeClient()
  socket.push('x'.repeat(200))
  expect(socket.isFull).toBe(true)
  const room = socket.hasRoom()
  expect(socket.hasRoom()).toBe(room)
  connection.resume()
  await room
  expect(socket.isFull).toBe(false)
})

test('nobody waits for the room of a client that has gone', async () => {
  const { connection, socket } = fakeClient()
  socket.push('x'.repeat(200))
  const room = socket.hasRoom()
  connection.destroy()
  await room
})
