import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { httpAction } from '../../src/index.ts'
import { ALLOW_LOCAL, SECRET, scriptedService, sendJson, sendProblem } from '../support/http-service.ts'
import { rawService, writeForEver } from '../support/raw-service.ts'
import { change } from '../support/registration.ts'
import { happened, latch, submit } from '../support/runs.ts'
import { sharedServer, startTestServer } from '../support/server.ts'

const allow = { httpActionsAllow: ALLOW_LOCAL }

const shared = sharedServer([], { ...allow, maxResultBytes: 2_000 })
let registered = 0

/** What one attempt against a service comes to. */
async function attempt(url: string, effect: 'idempotent' | 'unsafe', timeoutMs = 10_000) {
  const name = `call-${registered++}`
  await change(shared(), 'registerAction', { name, url, effect, timeoutMs, retry: { maxAttempts: 1 } })
  const { run } = await shared().execute({ name })
  return { status: run?.status, code: run?.error?.code ?? run?.attempts[0]?.error?.code, run }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

/** What is said after the whole request has come, and what becomes of the attempt. */
const UNCLEAR: [string, (socket: Socket) => void, string][] = [
  ['closes without a word', (socket) => void socket.end(), 'ANSWER_LOST'],
  ['resets the connection', (socket) => void socket.resetAndDestroy(), 'ANSWER_LOST'],
  ['closes in the middle of the head', (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-'), 'ANSWER_LOST'],
  [
    'closes in the middle of the body',
    (socket) => void socket.end(`${OK}content-length: 100\r\n\r\n{"a":`),
    'ANSWER_LOST',
  ],
  [
    'closes in the middle of a chunk',
    (socket) => void socket.end(`${OK}transfer-encoding: chunked\r\n\r\n64\r\n{"a":`),
    'ANSWER_LOST',
  ],
  [
    'sends a chunk without a size',
    (socket) => void socket.end(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`),
    'ANSWER_LOST',
  ],
  ['speaks something else than HTTP', (socket) => void socket.end('220 smtp.example ESMTP\r\n'), 'ANSWER_LOST'],
  [
    'names two lengths',
    (socket) => void socket.end(`${OK}content-length: 2\r\ncontent-length: 4\r\n\r\nnull`),
    'ANSWER_LOST',
  ],
  ['sends a head of 100 KB', (socket) => void socket.end(`${OK}x: ${'y'.repeat(100_000)}\r\n\r\n`), 'ANSWER_LOST'],
  [
    'changes the protocol',
    (socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    'ANSWER_LOST',
  ],
  [
    'sends HTML',
    (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>'),
    'ANSWER_NOT_JSON',
  ],
  [
    'sends half of a JSON document',
    (socket) => void socket.end(`${OK}content-length: 5\r\n\r\n{"a":`),
    'ANSWER_NOT_JSON',
  ],
  [
    'packs what nobody asked to be packed',
    (socket) => void socket.end(`${OK}content-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08`),
    'ANSWER_NOT_JSON',
  ],
  [
    'sends more than may be',
    (socket) => void socket.end(`${OK}content-length: 2002\r\n\r\n"${'x'.repeat(2_000)}"`),
    'ANSWER_TOO_LARGE',
  ],
  ['sends without end', (socket) => writeForEver(socket, `${OK}\r\n"`, 'x'.repeat(1_000)), 'ANSWER_TOO_LARGE'],
]

describe.each(UNCLEAR)('a service that %s', (_, answer, code) => {
  test('leaves the outcome open: an idempotent action may be called again', async () => {
    expect(await attempt(await rawService(answer), 'idempotent')).toMatchObject({
      status: 'FAILED',
      code,
      run: { error: { retryable: true } },
    })
  })

  test('leaves the outcome open: of an unsafe action only a person knows', async () => {
    expect(await attempt(await rawService(answer), 'unsafe')).toMatchObject({ status: 'INDETERMINATE', code })
  })
})

const SLOW: [string, (socket: Socket) => void][] = [
  ['says nothing', () => {}],
  ['drips its head', (socket) => writeForEver(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n')],
  ['drips its body', (socket) => writeForEver(socket, `${OK}content-length: 1000\r\n\r\n"`, 'x')],
  ['sends interim answers without end', (socket) => writeForEver(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n')],
]

test.each(SLOW)('a service that %s is cut by the time that a call may take', async (_, answer) => {
  const closed = latch()
  const url = await rawService((socket) => {
    socket.on('close', () => closed.open())
    answer(socket)
  })
  expect(await attempt(url, 'unsafe', 150)).toMatchObject({ status: 'INDETERMINATE' })
  await closed.opened
})

test('interim answers before the real one are passed over', async () => {
  const url = await rawService(
    (socket) => void socket.end(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}content-length: 4\r\n\r\nnull`),
  )
  expect(await attempt(url, 'unsafe')).toMatchObject({ status: 'SUCCEEDED' })
})

test('an answer that is too large is not taken in: the connection is cut after the limit', async () => {
  let sent = 0
  const closed = latch()
  const url = await rawService((socket) => {
    socket.on('close', () => closed.open())
    socket.write(`${OK}content-length: 100000000\r\n\r\n`)
    const chunk = Buffer.alloc(65_536, 'x')
    const more = () => {
      while (!socket.destroyed && sent < 100_000_000 && socket.write(chunk)) sent += chunk.length
    }
    socket.on('drain', more)
    more()
  })
  expect(await attempt(url, 'idempotent')).toMatchObject({ code: 'ANSWER_TOO_LARGE' })
  await closed.opened
  expect(sent).toBeLessThan(20_000_000)
})

test('a redirect is not followed', async () => {
  const canary = await scriptedService((res) => sendJson(res, 200, 'reached'))
  for (const status of [301, 302, 303, 307, 308]) {
    const { url } = await scriptedService((res) => sendJson(res, status, null, { location: canary.url }))
    expect(await attempt(url, 'idempotent')).toMatchObject({ status: 'FAILED', code: `HTTP_${status}` })
  }
  expect(canary.calls).toEqual([])
})

test('what was never sent is tried again, also where the effect is unsafe', async () => {
  const refusing = createServer()
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
  const { port } = refusing.address() as AddressInfo
  await new Promise((resolve) => refusing.close(resolve))
  const retry = { maxAttempts: 3, backoff: { initialMs: 0 } }
  const call = httpAction('call', { url: `http://127.0.0.1:${port}/`, secret: SECRET, effect: 'unsafe', retry })
  const server = await startTestServer([call], allow)
  const { run } = await server.execute({ name: 'call' })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'NOT_REACHED' } })
  expect(run?.attempts).toHaveLength(3)
})

test('what is refused for its address is not tried again', async () => {
  const call = httpAction('call', { url: 'http://localhost:1/', secret: SECRET, effect: 'unsafe' })
  const server = await startTestServer([call])
  const { run } = await server.execute({ name: 'call' })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'ADDRESS_REFUSED', retryable: false } })
  expect(run?.attempts).toHaveLength(1)
})

test('the next attempt begins no sooner than the service says', async () => {
  const { url, calls } = await scriptedService((res, _, i) =>
    i === 0 ? sendProblem(res, 429, { title: 'Slow down' }, { 'retry-after': '3600' }) : sendJson(res, 200, 'now'),
  )
  const server = await startTestServer([httpAction('call', { url, secret: SECRET, effect: 'unsafe' })], allow)
  const id = await submit(server, { name: 'call' })
  await happened(server, id, 'RETRY_SCHEDULED')
  server.advance(3_590_000)
  expect(calls).toHaveLength(1)
  server.advance(11_000)
  expect((await happened(server, id, 'COMPLETED')).attempt).toBe(2)
})

test('a call is broken off when its run is canceled', async () => {
  const begun = latch()
  const gone = latch()
  const url = await rawService((socket) => {
    begun.open()
    socket.on('close', () => gone.open())
  })
  const server = await startTestServer([httpAction('call', { url, secret: SECRET })], allow)
  const id = await submit(server, { name: 'call' })
  await begun.opened
  await server.query('mutation($id: ID!) { cancelRun(input: { id: $id }) { __typename } }', { id })
  await gone.opened
})

test('connections are kept for the next call, except where the effect is unsafe', async () => {
  const seen = new Map<string, Set<unknown>>()
  const { url } = await scriptedService((res, { body }) => {
    const name = String(body.action)
    seen.set(name, (seen.get(name) ?? new Set()).add(res.socket?.remotePort))
    sendJson(res, 200, null)
  })
  const actions = (['idempotent', 'unsafe'] as const).map((effect) =>
    httpAction(effect, { url, secret: SECRET, effect }),
  )
  const server = await startTestServer(actions, allow)
  for (let i = 0; i < 5; i++) for (const { name } of actions) await server.execute({ name })
  expect(seen.get('idempotent')?.size).toBe(1)
  expect(seen.get('unsafe')?.size).toBe(5)
})

test('a call under way ends with the definition that it began with, and the next attempt takes the new one', async () => {
  // two versions of one action, as in a deployment that goes on while runs do
  const old = await scriptedService((res) => sendJson(res, 503, null))
  const next = await scriptedService((res) => sendJson(res, 200, 'new'))
  const server = await startTestServer([], allow)
  const retry = { backoff: { initialMs: 3_600_000, maxMs: 3_600_000, jitter: false } }
  await change(server, 'registerAction', { name: 'call', url: old.url, retry })
  const id = await submit(server, { name: 'call' })
  await happened(server, id, 'RETRY_SCHEDULED')
  await change(server, 'updateAction', { name: 'call', url: next.url })
  server.advance(3_600_000)
  await happened(server, id, 'COMPLETED')
  expect([old.calls.length, next.calls.length]).toEqual([1, 1])
  expect(next.calls[0]?.headers['idempotency-key']).toBe(old.calls[0]?.headers['idempotency-key'])
})
