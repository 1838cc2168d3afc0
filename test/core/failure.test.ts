import { describe, expect, test } from 'vitest'
import { NonRetryableError, OutcomeUnknownError, RetryAfterError } from '../../src/core/errors.ts'
import { recordError, signalsOf, tangible } from '../../src/core/failure.ts'

const refuse = () => {
  throw new Error('not to be looked at')
}

describe('the record of an error', () => {
  test('has its code, message, details and stack, and may be retried', () => {
    const thrown = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', details: { host: 'a' } })
    expect(recordError(thrown)).toEqual({
      code: 'EHOSTUNREACH',
      message: 'no route',
      retryable: true,
      details: { host: 'a' },
      stack: thrown.stack,
    })
  })

  test('of a permanent failure is not to be retried', () => {
    expect(recordError(new NonRetryableError('no', { code: 'CARD_DECLINED' }))).toMatchObject({
      code: 'CARD_DECLINED',
      retryable: false,
    })
  })

  test('has no member that the error does not have', () => {
    const thrown = new Error('m')
    delete thrown.stack
    expect(recordError(thrown)).toEqual({ code: 'ACTION_FAILED', message: 'm', retryable: true })
  })

  test('can be read only, so that a record is not another error’s', () => {
    const details = { list: [1] }
    const record = recordError(Object.assign(new Error('m'), { details }))
    details.list.push(2)
    expect(record.details).toEqual({ list: [1] })
  })

  test.each(['lower', 'WITH SPACE', '', '9LIVES', 'A'.repeat(65), 404, null])(
    'has the default code instead of %j',
    (code) => {
      expect(recordError(Object.assign(new Error('m'), { code })).code).toBe('ACTION_FAILED')
    },
  )

  test('keeps a code of up to 64 characters', () => {
    expect(recordError({ code: 'A'.repeat(64) }).code).toBe('A'.repeat(64))
  })

  test.each([
    ['text', 'text'],
    [42, '42'],
    [10n, '10'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [{ message: 'plain object' }, 'plain object'],
    [new TypeError(''), 'TypeError'],
    [Object.create(null), 'The handler threw a value that cannot be described'],
  ])('says what was thrown, error or not: %#', (thrown, message) => {
    expect(recordError(thrown).message).toBe(message)
  })
})

describe('the causes', () => {
  test('are listed outermost first, with their codes', () => {
    const socket = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    const thrown = new Error('outer', { cause: new Error('fetch failed', { cause: socket }) })
    expect(recordError(thrown).causes).toEqual([
      { message: 'fetch failed' },
      { code: 'ECONNREFUSED', message: 'refused' },
    ])
  })

  test('are five at most', () => {
    let thrown = new Error('innermost')
    for (let i = 0; i < 10; i++) thrown = new Error(`level ${i}`, { cause: thrown })
    expect(recordError(thrown).causes).toHaveLength(5)
  })

  test('end where they turn back', () => {
    const outer = new Error('outer')
    outer.cause = new Error('inner', { cause: outer })
    expect(recordError(outer).causes).toEqual([{ message: 'inner' }])
    const own = new Error('own')
    own.cause = own
    expect(recordError(own)).not.toHaveProperty('causes')
  })

  test('may be anything, and one that cannot be described hides nothing else', () => {
    expect(recordError(new Error('m', { cause: 'text' })).causes).toEqual([{ message: 'text' }])
    const record = recordError(new NonRetryableError('declined', { cause: Object.create(null) }))
    expect(record).toMatchObject({ message: 'declined', retryable: false })
    expect(record.causes).toHaveLength(1)
  })
})

describe('the details', () => {
  const recorded = (details: unknown) => recordError(Object.assign(new Error('m'), { details })).details

  test.each([
    ['a Date as text', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a BigInt as digits', { n: [12345678901234567890n] }, { n: ['12345678901234567890'] }],
    ['a number that JSON cannot hold as null', { n: Number.NaN }, { n: null }],
    ['false', false, false],
    ['0', 0, 0],
    ['text', 'a\u0000b', 'a\uFFFDb'],
    ['a list', ['\uD800'], ['\uFFFD']],
    ['names that cannot be stored', { 'a\u0000': { '\uDFFF': 1 } }, { 'a\uFFFD': { '\uFFFD': 1 } }],
    ['a member called __proto__', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ])('are plain JSON: %s', (_, details, expected) => {
    expect(recorded(details)).toEqual(expected)
  })

  test.each([null, undefined, () => 1, Symbol('s')])('that say nothing are left out: %s', (details) => {
    expect(recorded(details)).toBeUndefined()
  })

  test('that are too large are cut, and say so', () => {
    expect(recorded('x'.repeat(16_000))).toHaveLength(16_000)
    for (const large of ['x'.repeat(20_000), Array(20_000).fill(1), { page: '<p>'.repeat(10_000) }]) {
      const { truncated } = recorded(large) as { truncated: string }
      expect(truncated).toMatch(/… \(\d+ characters more\)$/)
      expect(truncated.length).toBeLessThan(1_100)
    }
  })

  test('that cannot be looked at cost nothing but themselves', () => {
    const looping: { self?: unknown } = {}
    looping.self = looping
    const getter = Object.defineProperty({}, 'inner', { enumerable: true, get: refuse })
    for (const details of [looping, getter, { toJSON: refuse }, new Proxy({}, { ownKeys: refuse })]) {
      const record = recordError(new NonRetryableError('declined', { code: 'CARD_DECLINED', details }))
      expect(record).toMatchObject({ code: 'CARD_DECLINED', message: 'declined', retryable: false })
      expect(record).not.toHaveProperty('details')
    }
  })
})

describe('members whose getters throw', () => {
  test.each(['message', 'name', 'code', 'details', 'stack', 'cause'])('hide only themselves: %s', (member) => {
    const thrown = new NonRetryableError('declined', { code: 'CARD_DECLINED', details: { a: 1 } })
    Object.defineProperty(thrown, member, { get: refuse })
    const record = recordError(thrown)
    expect(record).toMatchObject({
      message: member === 'message' ? 'NonRetryableError' : 'declined',
      code: member === 'code' ? 'ACTION_FAILED' : 'CARD_DECLINED',
      retryable: false,
    })
    expect(record.details).toEqual(member === 'details' ? undefined : { a: 1 })
  })
})

describe('signalsOf', () => {
  const none = { permanent: false, retryAfterMs: undefined, outcomeUnknown: false }
  test.each([
    [new Error('m'), none],
    ['text', none],
    [undefined, none],
    [new NonRetryableError('m'), { ...none, permanent: true }],
    [new RetryAfterError('m', 1_500), { ...none, retryAfterMs: 1_500 }],
    [new RetryAfterError('m', 0), { ...none, retryAfterMs: 0 }],
    [new OutcomeUnknownError('m'), { ...none, outcomeUnknown: true }],
    [Object.assign(new Error('m'), { name: 'NonRetryableError' }), none],
  ])('reads the class of what was thrown: %#', (thrown, expected) => {
    expect(signalsOf(thrown)).toEqual(expected)
  })
})

describe('tangible', () => {
  test('gives back whatever can be asked for its class, and an error for what cannot', () => {
    for (const thrown of [new Error('m'), 'text', undefined, Object.create(null), new Proxy({}, { get: refuse })])
      expect(tangible(thrown)).toBe(thrown)
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(tangible(proxy)).toBeInstanceOf(Error)
    expect(recordError(proxy)).toMatchObject({ code: 'ACTION_FAILED', retryable: true })
  })
})
