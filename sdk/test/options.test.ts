import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Do, type DoOptions } from '../src/index.ts'
import { wireRun } from './support/fake-server.ts'

/** What a client sends where. */
async function sent(options?: string | DoOptions): Promise<{ url: unknown; headers: Record<string, string> }> {
  const fetch = vi.fn(async () => Response.json({ data: { run: wireRun() } }))
  vi.stubGlobal('fetch', fetch)
  await new Do(options).run.get('run_1')
  const [url, init] = fetch.mock.calls[0] as unknown as [unknown, { headers: Record<string, string> }]
  return { url, headers: init.headers }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describe('new Do', () => {
  it('takes the key alone, and the url from its default', async () => {
    expect(await sent('a-key')).toMatchObject({
      url: 'http://localhost:4000/graphql',
      headers: { authorization: 'Bearer a-key' },
    })
  })

  it('takes both from the environment', async () => {
    vi.stubEnv('DO_API_KEY', 'from-env')
    vi.stubEnv('DO_URL', 'https://do.example/graphql')
    expect(await sent()).toMatchObject({
      url: 'https://do.example/graphql',
      headers: { authorization: 'Bearer from-env' },
    })
    expect(await sent({ apiKey: 'mine', url: 'https://other.example/api' })).toMatchObject({
      url: 'https://other.example/api',
      headers: { authorization: 'Bearer mine' },
    })
  })

  it('works where there is no environment, or where it may not be read', async () => {
    vi.stubGlobal('process', undefined)
    expect((await sent()).headers).not.toHaveProperty('authorization')
    vi.stubGlobal('process', {
      get env() {
        throw new Error('not allowed')
      },
    })
    expect((await sent()).headers).not.toHaveProperty('authorization')
  })

  it('finds GraphQL at its place when the url names the server only', async () => {
    expect((await sent({ url: 'http://127.0.0.1:4000' })).url).toBe('http://127.0.0.1:4000/graphql')
  })

  it('takes a url relative to the page in a browser', async () => {
    vi.stubGlobal('location', { href: 'https://do.example/runs/1' })
    expect((await sent({ url: '/graphql' })).url).toBe('https://do.example/graphql')
  })

  it('sends further headers, and not in place of its own', async () => {
    expect((await sent({ apiKey: 'k', headers: { 'X-Tenant': 't', Authorization: 'no' } })).headers).toMatchObject({
      'x-tenant': 't',
      authorization: 'Bearer k',
    })
  })

  it.each([
    [{ url: 'not a url' }],
    [{ url: 'ftp://do.example' }],
    [{ url: 'https://user:hidden-key@do.example' }],
    [{ apiKey: 'hidden-key with spaces' }],
    [{ timeout: -1 }],
    [{ retries: Number.NaN }],
  ])('refuses %j without repeating the key', (options) => {
    expect(() => new Do(options)).toThrow(/^Do: (?!.*hidden-key)/)
  })

  it('does not show the key when it is logged', () => {
    expect(inspect(new Do({ apiKey: 'hidden-key' }), { depth: 10, showHidden: true })).not.toContain('hidden-key')
  })

  it('makes keys on pages without TLS too', async () => {
    const { newKey } = await import('../src/key.ts')
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
    expect(newKey()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(newKey()).not.toBe(newKey())
  })
})
