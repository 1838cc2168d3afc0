import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { startTestServer } from '../support/server.ts'

test('a connection that is reset while it asks for an upgrade ends nothing but itself', async () => {
  const server = await startTestServer([action('noop', { run: () => null })])
  const { port } = new URL(server.url)
  const thrown: unknown[] = []
  const note = (error: unknown) => thrown.push(error)
  process.on('uncaughtExceptionMonitor', note)
  for (const path of ['/elsewhere', '/graphql']) {
    const socket: Socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  const { run } = await server.execute({ name: 'noop' })
  expect(run?.status).toBe('SUCCEEDED')
  process.off('uncaughtExceptionMonitor', note)
  expect(thrown).toEqual([])
})

test('the first requests with a stored key, all at once, are all let in', async () => {
  const server = await startTestServer([action('noop', { run: () => null })])
  const hash = createHash('sha256').update('a-stored-key-0123456789').digest()
  await server.executor.db.reads`
    insert into action_do.api_keys (id, name, hash, created_at) values (gen_random_uuid(), 'stored', ${hash}, now())`
  const body = { query: '{ __typename }' }
  const headers = { authorization: 'Bearer a-stored-key-0123456789' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.post(body, headers)))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
})
