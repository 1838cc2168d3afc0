import { describe, expect, test } from 'vitest'
import { type DatabaseFault, databaseFault, isConnectionLoss, isTransient } from '../../src/db/pg-errors.ts'

const withCode = (code: unknown, message = 'm') => Object.assign(new Error(message), { code })

const faults: Record<DatabaseFault, readonly string[]> = {
  unavailable: [
    'CONNECTION_CLOSED',
    'CONNECTION_DESTROYED',
    'CONNECT_TIMEOUT',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ENOENT',
    'ETIMEDOUT',
    '08000',
    '08006',
    '57P01',
    '57P03',
    '53300',
    '53100',
    '25006',
  ],
  conflict: ['40001', '40P01', '55P03'],
  data: ['22001', '22003', '22P02', '22P05', '23502', '23505', '23514', '54000'],
  other: ['42P01', '42501', '57014', 'XX000', 'EACCES', '', 'CONNECTION'],
}
const coded = Object.entries(faults).flatMap(([fault, codes]) => codes.map((code) => [code, fault] as const))

test.each(coded)('%j means %s', (code, fault) => {
  expect(databaseFault(withCode(code))).toBe(fault)
  expect(isTransient(withCode(code))).toBe(fault === 'unavailable' || fault === 'conflict')
})

test('a connection that broke is told apart from a server that refuses over one', () => {
  const lost = coded.filter(([code]) => isConnectionLoss(withCode(code))).map(([code]) => code)
  expect(lost).toEqual(faults.unavailable.filter((code) => /^[A-Z]/.test(code)))
  expect(isConnectionLoss(new Error('plain'))).toBe(false)
})

describe('the code', () => {
  test('is found behind what drizzle wraps around it', () => {
    expect(databaseFault(new Error('Failed query', { cause: withCode('40P01') }))).toBe('conflict')
  })

  test('is the outermost one', () => {
    const inner = withCode('23505')
    expect(databaseFault(Object.assign(withCode('ECONNRESET'), { cause: inner }))).toBe('unavailable')
  })

  test('may be behind a member of that name that is no text', () => {
    expect(databaseFault(Object.assign(withCode(7), { cause: withCode('22001') }))).toBe('data')
  })

  test('is of an AggregateError, as node gives it when no address answers', () => {
    const none = Object.assign(new AggregateError([withCode('ECONNREFUSED')]), { code: 'ECONNREFUSED' })
    expect(databaseFault(none)).toBe('unavailable')
  })

  test.each([undefined, null, 'ECONNREFUSED', { code: 'ECONNREFUSED' }, new Error('plain')])(
    'of what is no coded error is no fault of the database: %o',
    (thrown) => {
      expect(databaseFault(thrown)).toBe('other')
      expect(isTransient(thrown)).toBe(false)
    },
  )

  test('is not looked for without end where causes lead round', () => {
    const error = new Error('round')
    error.cause = new Error('and round', { cause: error })
    expect(databaseFault(error)).toBe('other')
  })
})
