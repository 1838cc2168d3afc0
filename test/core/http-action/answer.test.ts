import { describe, expect, test } from 'vitest'
import { recordError, signalsOf } from '../../../src/core/failure.ts'
import { type Answer, verdictOf } from '../../../src/core/http-action/answer.ts'
import { errorOf, notSent } from '../../../src/core/http-action/failure.ts'
import { DEFAULT_RETRY } from '../../../src/core/retry.ts'

const NOW = Date.parse('2027-01-01T00:00:00Z')

function answer(status: number, body = '', headers: Answer['headers'] = {}, truncated = false): Answer {
  const type = body === '' ? {} : { 'content-type': 'application/json' }
  return { status, headers: { ...type, ...headers }, body: new TextEncoder().encode(body), truncated }
}

const kindOf = (given: Answer) => verdictOf(given, NOW).kind

test.each([200, 201, 203, 206, 299])('%i with JSON is the result', (status) => {
  expect(verdictOf(answer(status, '{"a":1}'), NOW)).toEqual({ kind: 'result', value: { a: 1 } })
})

test('success without a body is null', () => {
  expect(verdictOf(answer(204), NOW)).toEqual({ kind: 'result', value: null })
})

test('202 says that it will finish later', () => {
  expect(kindOf(answer(202, '{}'))).toBe('accepted')
})

test.each([408, 409, 425, 429, 500, 501, 502, 503, 504, 599])('%i may be repeated', (status) => {
  expect(kindOf(answer(status))).toBe('again')
})

test.each([300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 418, 422, 451])(
  '%i is permanent',
  (status) => {
    expect(kindOf(answer(status))).toBe('permanent')
  },
)

test.each([
  ['HTML', answer(200, '<html>', { 'content-type': 'text/html' }), 'ANSWER_NOT_JSON'],
  ['no type', { ...answer(200, '{}'), headers: {} }, 'ANSWER_NOT_JSON'],
  ['half of a document', answer(200, '{"a":'), 'ANSWER_NOT_JSON'],
  ['bytes that are no UTF-8', { ...answer(200, '"x"'), body: Uint8Array.of(0x22, 0xff, 0x22) }, 'ANSWER_NOT_JSON'],
  ['more than the limit', answer(200, '[1]', {}, true), 'ANSWER_TOO_LARGE'],
] as const)('success with %s is unclear', (_, given, code) => {
  expect(verdictOf(given, NOW)).toMatchObject({ kind: 'unclear', code })
})

test('a redirect says where it would have led, and that it is not followed', () => {
  expect(verdictOf(answer(307, '', { location: 'http://elsewhere/' }), NOW)).toMatchObject({
    message: expect.stringContaining('redirects are not followed'),
    details: { location: 'http://elsewhere/' },
  })
})

test.each([
  ['its own code', { code: 'NO_FUNDS', type: 'https://x/y' }, 'NO_FUNDS'],
  ['the end of its type', { type: 'https://x/problems/no-funds', code: 'lower' }, 'NO_FUNDS'],
  ['the end of a URN', { type: 'urn:bank:no-funds' }, 'NO_FUNDS'],
  ['its status', { type: 'about:blank' }, 'HTTP_422'],
  ['its status where the type ends in nothing', { type: 'https://x/' }, 'HTTP_422'],
])('the code of a problem is %s', (_, problem, code) => {
  const given = answer(422, JSON.stringify(problem), { 'content-type': 'application/problem+json' })
  expect(verdictOf(given, NOW)).toMatchObject({ kind: 'permanent', code, details: problem })
})

test('a page of HTML is shown in part', () => {
  const given = answer(502, 'x'.repeat(5_000), { 'content-type': 'text/html' })
  expect(verdictOf(given, NOW)).toMatchObject({ details: { body: 'x'.repeat(1_000) } })
})

test.each([
  ['seconds', '120', 120_000],
  ['a date', 'Fri, 01 Jan 2027 00:01:00 GMT', 60_000],
  ['a date of RFC 850', 'Friday, 01-Jan-27 00:01:00 GMT', 60_000],
  ['a date of asctime', 'Fri Jan  1 00:01:00 2027', 60_000],
  ['a date that is past', 'Thu, 31 Dec 2026 00:00:00 GMT', 0],
  ['more than a day', '999999', 86_400_000],
  ['a year', 'Sat, 01 Jan 2028 00:00:00 GMT', 86_400_000],
  ['nonsense', 'soon', undefined],
  ['a negative number', '-5', undefined],
  ['a date of another kind', '2027-01-01T00:01:00Z', undefined],
])('Retry-After of %s', (_, header, retryAfterMs) => {
  expect(verdictOf(answer(503, '', { 'retry-after': header }), NOW)).toMatchObject({ retryAfterMs })
})

test('a date is reckoned from the clock of the service', () => {
  const headers = { 'retry-after': 'Fri, 01 Jan 2027 01:00:30 GMT', date: 'Fri, 01 Jan 2027 01:00:00 GMT' }
  expect(verdictOf(answer(503, '', headers), NOW)).toMatchObject({ retryAfterMs: 30_000 })
})

describe('what a failure means for the run', () => {
  const facts = { retry: DEFAULT_RETRY, attempt: 1, random: 0.5 }
  const meaning = (given: Answer, effect: 'idempotent' | 'unsafe') => {
    const error = errorOf(verdictOf(given, NOW) as never, { ...facts, effect })
    return { ...signalsOf(error), retryable: recordError(error).retryable }
  }

  test.each([500, 502, 504, 408, 409])('%i leaves open what an unsafe call did', (status) => {
    expect(meaning(answer(status), 'unsafe')).toMatchObject({ outcomeUnknown: true })
    expect(meaning(answer(status), 'idempotent')).toMatchObject({ outcomeUnknown: false, retryable: true })
  })

  test.each([425, 429, 503])('%i says that nothing was done, so that even an unsafe call is repeated', (status) => {
    expect(meaning(answer(status), 'unsafe')).toMatchObject({ outcomeUnknown: false, retryAfterMs: 250 })
  })

  test('Retry-After is heeded', () => {
    for (const effect of ['idempotent', 'unsafe'] as const)
      expect(meaning(answer(503, '', { 'retry-after': '9' }), effect)).toMatchObject({ retryAfterMs: 9_000 })
    expect(meaning(answer(500, '', { 'retry-after': '9' }), 'idempotent')).toMatchObject({ retryAfterMs: 9_000 })
  })

  test('what is permanent stays so, and what is unclear follows the effect class', () => {
    expect(meaning(answer(404), 'idempotent')).toMatchObject({ permanent: true, retryable: false })
    expect(meaning(answer(200, 'x'), 'unsafe')).toMatchObject({ outcomeUnknown: true })
  })

  test('a call that never left may always be repeated', () => {
    expect(signalsOf(notSent('refused', 'NOT_REACHED', undefined, { ...facts, effect: 'unsafe' }))).toMatchObject({
      outcomeUnknown: false,
      retryAfterMs: 250,
    })
    const idempotent = notSent('refused', 'NOT_REACHED', undefined, { ...facts, effect: 'idempotent' })
    expect(signalsOf(idempotent).retryAfterMs).toBeUndefined()
    expect(recordError(idempotent)).toMatchObject({ code: 'NOT_REACHED', retryable: true })
  })
})
