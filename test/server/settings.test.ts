import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigurationError, type ServeOptions, serve } from '../../src/index.ts'
import { readConfiguration, SETTINGS } from '../../src/server/settings.ts'
import { testDatabase } from '../support/database.ts'

const SECRET = 'hunter2 hunter2 hunter2'

/** What each setting refuses. */
const WRONG: Record<keyof typeof SETTINGS, string[]> = {
  port: ['-1', '65536', 'http', '40.5', '4000x', ' '],
  host: ['local host', 'http://localhost', '[::1]', ' '],
  databaseUrl: ['mysql://localhost/db', 'localhost:5432', 'postgres:localhost', `postgres ${SECRET}`],
  databaseConnections: ['5', '1001', 'all'],
  dataDir: [' ', 'a\0b'],
  apiKey: ['short', 'fifteen-letters', SECRET],
  corsOrigins: ['app.example.com', 'https://app.example.com/path', 'https://a.example,b', ','],
  publicUrl: ['action.example.com', 'ftp://a.example', 'https://a.example/?q=1', 'https://me@a.example', ' '],
  httpActionsAllow: ['http://billing', '10.1.2.3/16', '10.0.0.0/33', 'fd00::/8/8', '0x7f.1', 'a b', '*', '2130706433'],
  role: ['server', 'all,api'],
  concurrency: ['0', '-5', '10001', '1e3', 'many', '2.5'],
  logLevel: ['verbose', '30'],
  queueLimit: ['0', 'none'],
  maxParamsBytes: ['999', '1MB', '67108865'],
  maxResultBytes: ['999', '1MB', '67108865'],
  maxLosses: ['0', '1001'],
  leaseMs: ['499', '600001', '15s'],
  pollMs: ['9', '60001'],
  notify: ['true', '1'],
  shutdownTimeoutMs: ['-1', '3600001', '30s'],
}

/** A value of each that is taken, as text and as it is read. */
const RIGHT: Record<keyof typeof SETTINGS, [string, unknown]> = {
  port: ['0', 0],
  host: ['::1', '::1'],
  databaseUrl: ['postgresql://me@localhost:5432/db', 'postgresql://me@localhost:5432/db'],
  databaseConnections: ['6', 6],
  dataDir: ['./some where', './some where'],
  apiKey: ['sixteen-letters!', 'sixteen-letters!'],
  corsOrigins: ['https://a.example, http://localhost:3000/', ['https://a.example', 'http://localhost:3000']],
  publicUrl: ['https://actions.example.com/do', 'https://actions.example.com/do'],
  httpActionsAllow: ['Billing.internal, *.svc.local,10.1.0.0/16', ['billing.internal', '*.svc.local', '10.1.0.0/16']],
  role: ['API', 'api'],
  concurrency: ['10000', 10_000],
  logLevel: ['silent', 'silent'],
  queueLimit: ['1', 1],
  maxParamsBytes: ['1000', 1_000],
  maxResultBytes: ['67108864', 67_108_864],
  maxLosses: ['1', 1],
  leaseMs: ['500', 500],
  pollMs: ['10', 10],
  notify: ['off', 'off'],
  shutdownTimeoutMs: ['0', 0],
}

function problemOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return String(error)
  }
  throw new Error('it was accepted')
}

describe.each(Object.entries(SETTINGS))('%s', (name, { env, allowed, fallback }) => {
  const setting = name as keyof typeof SETTINGS
  const secret = env === 'DO_API_KEY' || env === 'DATABASE_URL'

  test.each(WRONG[setting])(`${env}=%j stops the start with a sentence that says what is wrong`, (value) => {
    const problem = problemOf(() => readConfiguration({}, { [env]: value }))
    expect(problem).toContain(`${env} is `)
    expect(problem).toContain(`it must be ${allowed}`)
    if (secret) {
      expect(problem).toContain(`(${value.length} characters, not shown)`)
      expect(problem).not.toContain(value)
      expect(problem).not.toContain('hunter2')
    } else expect(problem).toContain(JSON.stringify(value))
  })

  test('is refused as an option of serve too, which it names', () => {
    const problem = problemOf(() => readConfiguration({ [setting]: WRONG[setting][0] }, {}))
    expect(problem).toContain(`serve({ ${name} }) is `)
    expect(problem).toContain(`it must be ${allowed}`)
  })

  test('is read from its variable, which an option overrides and an empty one leaves alone', () => {
    const [text, value] = RIGHT[setting]
    expect(readConfiguration({}, { [env]: text })[setting]).toEqual(value)
    expect(readConfiguration({ [setting]: value }, { [env]: WRONG[setting][0] })[setting]).toEqual(value)
    expect(readConfiguration({}, { [env]: '' })[setting]).toEqual(fallback)
    expect(readConfiguration({}, {})[setting]).toEqual(fallback)
  })
})

test('a database that cannot be used and a port that is taken stop the start with a sentence that names the setting', async () => {
  const options = {
    actions: [],
    logLevel: 'silent',
    handleSignals: false,
    printBanner: false,
    apiKey: 'k'.repeat(16),
  } as const
  const starting = (more: Partial<ServeOptions>) => serve({ ...options, ...more }).catch((error) => error)
  const away = await starting({ databaseUrl: 'postgres://somebody:hunter2@127.0.0.1:1/shop' })
  expect(away).toBeInstanceOf(ConfigurationError)
  expect(away.message).toMatch(/^DATABASE_URL names 127\.0\.0\.1:1\/shop, which cannot be connected to: .*ECONNREFUSED/)
  const url = new URL(await testDatabase())
  url.pathname = '/nowhere'
  const missing = await starting({ databaseUrl: url.href })
  expect(missing.message).toMatch(/^DATABASE_URL names .*: database "nowhere" does not exist$/)

  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const taken = await starting({ databaseUrl: await testDatabase(), port, host: '127.0.0.1' })
  expect(taken).toBeInstanceOf(ConfigurationError)
  expect(taken.message).toMatch(`PORT is ${port}, which another program uses`)
})

test('a server does not start with a setting that makes no sense', async () => {
  await expect(serve({ actions: [], port: 70_000 })).rejects.toThrow(
    'serve({ port }) is "70000"; it must be a whole number from 0 to 65535',
  )
})
