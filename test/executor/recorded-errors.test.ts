import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { sharedServer } from '../support/server.ts'

interface FullError {
  code: string
  message: string
  retryable: boolean
  details: unknown
  stack: string | null
  causes: { code: string | null; message: string }[]
}

interface FullRun {
  status: string
  error: FullError
  attempts: { number: number; error: FullError }[]
}

const ERROR = 'error { code message retryable details stack causes { code message } }'

let thrown: unknown

const thrower = action('thrower', {
  retry: { maxAttempts: 1 },
  run: () => {
    throw thrown
  },
})

const shared = sharedServer([thrower])

/** Executes an action whose handler throws this, once, and answers with all that was recorded. */
async function recordOf(what: unknown): Promise<FullRun> {
  thrown = what
  const { executeAction } = await shared().query<{ executeAction: { run: FullRun } }>(
    `mutation { executeAction(input: { name: "thrower" }) { ... on ExecuteActionPayload { run {
       status ${ERROR} attempts { number ${ERROR} } } } } }`,
  )
  return executeAction.run
}

test('an error is recorded with its code, its details, its stack and the chain of its causes', async () => {
  const root = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })
  const middle = new Error('the request failed', { cause: root })
  const thrown = Object.assign(new Error('the mail was not sent', { cause: middle }), {
    code: 'MAIL_DOWN',
    details: { host: 'mail.example', tries: [1, 2] },
  })
  const { status, error, attempts } = await recordOf(thrown)
  expect(status).toBe('FAILED')
  expect(error).toMatchObject({
    code: 'MAIL_DOWN',
    message: 'the mail was not sent',
    retryable: true,
    details: { host: 'mail.example', tries: [1, 2] },
    causes: [
      { code: null, message: 'the request failed' },
      { code: 'ECONNREFUSED', message: 'connect refused' },
    ],
  })
  expect(error.stack).toContain('recorded-errors.test.ts')
  expect(attempts).toEqual([{ number: 1, error }])
})

test('stack, message, details and the chain of causes are bounded', async () => {
  const thrown = Object.assign(new Error('m'.repeat(1_000_000)), { details: { page: '<p>'.repeat(100_000) } })
  thrown.stack = 's'.repeat(1_000_000)
  for (let depth = 0, at: Error = thrown; depth < 50; depth++) {
    at.cause = new Error(`cause ${depth}`)
    at = at.cause as Error
  }
  const { error } = await recordOf(thrown)
  expect(error.message.length).toBeLessThan(2_100)
  expect(error.message).toMatch(/^m{2000}… \(998000 characters more\)$/)
  expect(error.stack?.length).toBeLessThan(8_100)
  expect(JSON.stringify(error.details).length).toBeLessThan(20_000)
  expect(error.causes.map(({ message }) => message)).toEqual([0, 1, 2, 3, 4].map((n) => `cause ${n}`))
})

test('a cause that leads back to the error ends the chain', async () => {
  const thrown = new Error('outer')
  thrown.cause = new Error('inner', { cause: thrown })
  expect((await recordOf(thrown)).error.causes).toEqual([{ code: null, message: 'inner' }])
})

const circular: { self?: unknown } = {}
circular.self = circular

const strange: [string, unknown, Partial<FullError>][] = [
  ['undefined', undefined, { code: 'ACTION_FAILED', message: 'undefined' }],
  ['null', null, { code: 'ACTION_FAILED', message: 'null' }],
  ['a string', 'just text', { code: 'ACTION_FAILED', message: 'just text' }],
  ['a symbol', Symbol('odd'), { code: 'ACTION_FAILED' }],
  ['an object without a prototype', Object.create(null), { code: 'ACTION_FAILED' }],
  ['a proxy that throws at every touch', hostileProxy(), { code: 'ACTION_FAILED' }],
  ['a revoked proxy', revokedProxy(), { code: 'ACTION_FAILED' }],
  [
    'a NUL in message and details',
    Object.assign(new Error('a\0b'), { details: { k: 'c\0d' } }),
    { message: 'a\uFFFDb' },
  ],
  ['a NUL in the name of a detail', Object.assign(new Error('odd'), { details: { 'k\0': 1 } }), { message: 'odd' }],
  ['a lone surrogate', new Error('x\uD800y'), { message: 'x\uFFFDy' }],
  ['a code that is no word', Object.assign(new Error('odd'), { code: 'not a code' }), { code: 'ACTION_FAILED' }],
  [
    'details that are nested very deep',
    Object.assign(new Error('deep'), { details: nested(7_000) }),
    { message: 'deep' },
  ],
  ['circular details', Object.assign(new Error('loop'), { details: circular }), { code: 'ACTION_FAILED' }],
  ['a BigInt in the details', Object.assign(new Error('big'), { details: { n: 12n } }), { details: { n: '12' } }],
  ['a message that is no text', { message: { toString: 'no' } }, { code: 'ACTION_FAILED' }],
]

test.each(strange)('a handler may throw %s: the attempt fails and says what it can', async (_, thrown, expected) => {
  const { status, error } = await recordOf(thrown)
  expect(status).toBe('FAILED')
  expect(error).toMatchObject(expected)
  expect(error.message).not.toBe('')
})

test('circular details cost the record only the details', async () => {
  const { error } = await recordOf(Object.assign(new Error('loop'), { code: 'LOOPED', details: circular }))
  expect(error).toMatchObject({ code: 'LOOPED', message: 'loop' })
})

function nested(depth: number): unknown {
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

function hostileProxy(): unknown {
  const refuse = () => {
    throw new Error('hands off')
  }
  return new Proxy({}, { get: refuse, getPrototypeOf: refuse, has: refuse, ownKeys: refuse })
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
