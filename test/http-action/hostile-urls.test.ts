import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { urlProblem } from '../../src/core/http-action/target.ts'
import { HttpCalls } from '../../src/http-action/http-calls.ts'
import { SECRET } from '../support/http-service.ts'
import { type NameServer, startNameServer } from '../support/name-server.ts'

/** Whoever connects to it has got through. On all addresses of this machine, IPv4 and IPv6. */
let canary: Server
let port: number
let reached: string[] = []

beforeAll(async () => {
  canary = createServer((socket) => {
    reached.push(socket.localAddress ?? 'somewhere')
    socket.on('error', () => {})
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull')
  })
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve))
  port = (canary.address() as { port: number }).port
})
afterAll(() => void canary.close())
beforeEach(() => {
  reached = []
})

async function call(url: string, { allow = [] as string[], names }: { allow?: string[]; names?: NameServer } = {}) {
  const calls = new HttpCalls({ allow, maxAnswerBytes: 1_000, ...(names && { resolve: names.resolve }) })
  try {
    return await calls.post({
      target: { url, secrets: [SECRET], timeoutMs: 5_000, callbackMs: undefined },
      message: { operation: 'execute', action: 'a', runId: 'run', attempt: 1, params: {} },
      idempotencyKey: 'key',
      fresh: true,
      signal: new AbortController().signal,
    })
  } finally {
    await calls.close()
  }
}

/** The port stands for that of the canary. */
const LITERALS = [
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://127.1:PORT/',
  'http://127.0.1:PORT/',
  'http://127.255.255.254:PORT/',
  'http://2130706433:PORT/',
  'http://017700000001:PORT/',
  'http://0x7f000001:PORT/',
  'http://0x7F.1:PORT/',
  'http://0x7f.0x0.0x0.0x1:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://0177.0.0.01:PORT/',
  'http://0000177.0.0.1:PORT/',
  'http://127.0.0x0.1:PORT/',
  'http://0:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0x0:PORT/',
  'http://00000000000:PORT/',
  'http://10.0.0.1:PORT/',
  'http://167772161:PORT/',
  'http://172.16.0.1:PORT/',
  'http://192.168.1.1:PORT/',
  'http://192.168.257:PORT/',
  'http://100.64.0.1:PORT/',
  'http://100.100.100.200:PORT/',
  'http://169.254.169.254:PORT/latest/meta-data/',
  'http://169.254.43518:PORT/',
  'http://2852039166:PORT/',
  'http://0xA9FEA9FE:PORT/',
  'http://168.63.129.16:PORT/',
  'http://198.18.0.1:PORT/',
  'http://192.0.2.1:PORT/',
  'http://224.0.0.1:PORT/',
  'http://255.255.255.255:PORT/',
  'http://240.0.0.1:PORT/',
  'http://[::1]:PORT/',
  'http://[::]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
  'http://[::127.0.0.1]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/',
  'http://[::ffff:0:127.0.0.1]:PORT/',
  'http://[::ffff:169.254.169.254]:PORT/',
  'http://[64:ff9b::127.0.0.1]:PORT/',
  'http://[64:ff9b::a9fe:a9fe]:PORT/',
  'http://[64:ff9b:1::127.0.0.1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[2001::1]:PORT/',
  'http://[fc00::1]:PORT/',
  'http://[fd00:ec2::254]:PORT/',
  'http://[fe80::1]:PORT/',
  'http://[fec0::1]:PORT/',
  'http://[ff02::1]:PORT/',
  'http://[2001:db8::1]:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://１２７.０.０.１:PORT/',
  'http://127。0。0。1:PORT/',
  'http://127%2E0%2E0%2E1:PORT/',
  'http://%31%32%37.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT\\',
  'http:127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  'http://127.0.0.1\t:PORT/',
  'http://12\n7.0.0.1:PORT/',
  'https://127.0.0.1:PORT/',
  'https://[::1]:PORT/',
]

test.each(LITERALS)('%j never reaches the canary', async (url) => {
  await expect(call(url.replace('PORT', `${port}`))).rejects.toMatchObject({
    sent: false,
    cause: { code: 'ADDRESS_REFUSED' },
  })
  expect(reached).toEqual([])
})

test('a canary that is allowed is reached: the others were not saved by something else', async () => {
  const local = ['127.0.0.0/8', '::1', '0.0.0.0', '::', '::ffff:127.0.0.0/104']
  for (const url of ['http://127.1:PORT/', 'http://[::1]:PORT/', 'http://0:PORT/', 'http://[::ffff:7f00:1]:PORT/'])
    expect(await call(url.replace('PORT', `${port}`), { allow: local })).toMatchObject({ status: 200 })
  expect(reached).toHaveLength(4)
})

test.each(['localhost', 'LOCALHOST', 'localhost.', 'ⓛocalhost', 'loc%61lhost'])(
  'the name %s, as this machine knows it, never reaches the canary',
  async (host) => {
    await expect(call(`http://${host}:${port}/`)).rejects.toMatchObject({ sent: false })
    expect(reached).toEqual([])
  },
)

test.each([
  ['an address of this machine', ['127.0.0.1']],
  ['IPv6 of this machine', ['::1']],
  ['an IPv4-mapped address', ['::ffff:127.0.0.1']],
  ['a NAT64 address', ['64:ff9b::7f00:1']],
  ['the address of a cloud’s metadata', ['169.254.169.254']],
  ['a public address beside one of this machine', ['93.184.216.34', '127.0.0.1']],
  ['a public IPv4 address beside IPv6 of this machine', ['93.184.216.34', '::1']],
  ['a public IPv6 address beside a private one', ['10.0.0.1', '2606:4700::1111']],
])('a name that means %s is refused as a whole', async (_, addresses) => {
  const names = await startNameServer()
  names.set('evil.example', addresses)
  await expect(call(`http://evil.example:${port}/`, { names })).rejects.toMatchObject({
    sent: false,
    cause: { code: 'ADDRESS_REFUSED', message: expect.stringContaining('evil.example is ') },
  })
  expect(reached).toEqual([])
})

test('a name that is bound anew after it was checked is connected to where it was checked', async () => {
  const names = await startNameServer()
  // the first answer is one that is allowed, the second would be the canary
  names.set('rebind.example', ['127.0.0.77'], ['127.0.0.1'])
  const allow = ['127.0.0.77']
  expect(await call(`http://rebind.example:${port}/`, { allow, names })).toMatchObject({ status: 200 })
  expect(names.asked).toEqual(['rebind.example'])
  expect(reached).toEqual([expect.stringMatching(/127\.0\.0\.77$/)])
})

test('a name is checked anew for each connection', async () => {
  const names = await startNameServer()
  names.set('rebind.example', ['127.0.0.77'], ['127.0.0.1'])
  const allow = ['127.0.0.77']
  const url = `http://rebind.example:${port}/`
  await call(url, { allow, names })
  await expect(call(url, { allow, names })).rejects.toMatchObject({ cause: { code: 'ADDRESS_REFUSED' } })
  expect(reached).toHaveLength(1)
})

test('a host that is allowed may be anywhere', async () => {
  const names = await startNameServer()
  names.set('billing.internal', ['127.0.0.1'])
  expect(await call(`http://Billing.internal.:${port}/`, { allow: ['billing.internal'], names })).toMatchObject({
    status: 200,
  })
  names.set('billing.internal.evil.example', ['127.0.0.1'])
  const evil = call(`http://billing.internal.evil.example:${port}/`, { allow: ['billing.internal'], names })
  await expect(evil).rejects.toMatchObject({ cause: { code: 'ADDRESS_REFUSED' } })
})

test('a name that does not exist is a failure before anything was sent', async () => {
  const names = await startNameServer()
  await expect(call('http://nowhere.example/', { names })).rejects.toMatchObject({
    sent: false,
    cause: { code: 'ENOTFOUND' },
  })
})

test.each([
  'file:///etc/passwd',
  'ftp://127.0.0.1/',
  'gopher://127.0.0.1/',
  'data:application/json,null',
  'unix:/var/run/docker.sock',
  'javascript:1',
  'http://user@127.0.0.1/',
  'http://public.example@127.0.0.1/',
  'http://public.example:80@127.0.0.1/',
  'http://[::1%25lo]/',
  'http://[::ffff:127.0.0.1',
  'http://256.256.256.256/',
  'http://1.2.3.4.5/',
  'http://0x100000000/',
  'http:// 127.0.0.1/',
  'http://exa mple/',
  'http://a#b@127.0.0.1/#',
  '//127.0.0.1/',
  'http://',
  '',
])('%j is no address of a service', (url) => {
  expect(urlProblem(url)).toEqual(expect.any(String))
})
