import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './graphiql-test-server.ts'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

let server: TestServer

beforeAll(async () => {
  await access(fileURLToPath(new URL('../../dist/graphiql.html.gz', import.meta.url))).catch(() => {
    throw new Error('the page is not built: run npm run build first')
  })
  server = await startTestServer()
})
afterAll(() => server.stop())

async function get(headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  const sent = request(server.url, { method, headers: { accept: 'text/html', ...headers } }).end()
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = await response.toArray()
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

describe('the GraphiQL page', () => {
  test('is sent as it was compressed', async () => {
    const { status, headers, body } = await get({ 'accept-encoding': 'gzip, br' })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-encoding': 'gzip',
      'content-length': String(body.byteLength),
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    expect(body.byteLength).toBeLessThan(3_000_000)
    expect(gunzipSync(body).toString('utf8', 0, 15)).toBe('<!doctype html>')
  })

  test.each(['', 'br', 'gzip;q=0', 'gzip;q=0.000, *', 'identity'])(
    'is sent plain to accept-encoding %j',
    async (accepted) => {
      const { headers, body } = await get(accepted === '' ? {} : { 'accept-encoding': accepted })
      expect(headers['content-encoding']).toBeUndefined()
      expect(headers['content-length']).toBe(String(body.byteLength))
      expect(body.toString('utf8', 0, 15)).toBe('<!doctype html>')
    },
  )

  test('is not sent again to whoever has it', async () => {
    const { headers } = await get({ 'accept-encoding': 'gzip' })
    const etag = headers.etag ?? ''
    for (const known of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
      const again = await get({ 'accept-encoding': 'gzip', 'if-none-match': known })
      expect(again.status).toBe(304)
      expect(again.headers.etag).toBe(etag)
      expect(again.body.byteLength).toBe(0)
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('answers HEAD without the page', async () => {
    const { status, headers, body } = await get({ 'accept-encoding': 'gzip' }, 'HEAD')
    expect(status).toBe(200)
    expect(Number(headers['content-length'])).toBeGreaterThan(1_000_000)
    expect(body.byteLength).toBe(0)
  })

  test('allows its own scripts only, and no other host', async () => {
    const { headers } = await get({ 'accept-encoding': 'gzip' })
    const policy = String(headers['content-security-policy'])
    const scripts = policy.split('; ').find((directive) => directive.startsWith('script-src'))
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toMatch(/https?:|wss?:|unsafe-eval|\*/)
    expect(scripts?.match(/'sha256-[\w+/=]{44}'/g)).toHaveLength(6)
    expect(scripts).not.toContain('unsafe-inline')
  })
})
