import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordError } from '../../src/core/failure.ts'

const refuse = () => {
  throw new Error('not to be looked at')
}
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
})
const oddText = fc.array(fc.nat(0xffff), { maxLength: 8 }).map((codes) => String.fromCharCode(0, ...codes, 0xd800))
const member = fc.oneof(anything, oddText, fc.constant('x'.repeat(100_000)))
const members = fc.record(
  { message: member, name: member, code: member, details: member, stack: member },
  { requiredKeys: [] },
)
const trap = fc.constantFrom('get', 'getPrototypeOf', 'ownKeys', 'has', 'getOwnPropertyDescriptor')

/** Builds what a handler throws: proxies that refuse cannot pass through fast-check themselves. */
type Recipe = () => unknown
const plain = anything.map(
  (value): Recipe =>
    () =>
      value,
)
const error = members.map(
  (own): Recipe =>
    () =>
      Object.assign(new Error(), own),
)
const hostile = fc.tuple(members, trap).map(
  ([own, name]): Recipe =>
    () =>
      new Proxy(Object.assign(new Error(), own), { [name]: refuse }),
)
const withCauses = fc.tuple(fc.oneof(plain, error, hostile), fc.array(members, { minLength: 1, maxLength: 8 })).map(
  ([innermost, chain]): Recipe =>
    () =>
      chain.reduce((cause: unknown, own) => Object.assign(new Error('', { cause }), own), innermost()),
)
const recipe = fc.oneof(plain, error, hostile, withCauses)

test('whatever is thrown is recorded, within bounds, as JSON that Postgres can store', () => {
  fc.assert(
    fc.property(recipe, (throwable) => {
      const record = recordError(throwable())
      const text = JSON.stringify(record)
      expect(JSON.parse(text, storable)).toEqual(record)
      expect(record.code).toMatch(/^[A-Z][A-Z0-9_]{0,63}$/)
      expect(record.message.length).toBeLessThan(2_100)
      expect(record.stack?.length ?? 0).toBeLessThan(8_100)
      expect(record.causes?.length ?? 0).toBeLessThanOrEqual(5)
      expect(JSON.stringify(record.details ?? null).length).toBeLessThan(17_000)
      expect(text.length).toBeLessThan(100_000)
    }),
    { numRuns: 500 },
  )
})

/** A reviver that refuses text which Postgres cannot store, in values and in names. */
function storable(name: string, value: unknown): unknown {
  for (const text of [name, value])
    if (typeof text === 'string' && (text.includes('\u0000') || !text.isWellFormed()))
      throw new Error(`not storable: ${JSON.stringify(text)}`)
  return value
}

test('ten megabytes in every member are cut', () => {
  const large = 'm'.repeat(10_000_000)
  const thrown = Object.assign(new Error(large), { details: { large }, cause: new Error(large), code: large })
  expect(JSON.stringify(recordError(thrown)).length).toBeLessThan(30_000)
})

test('details nested beyond every stack are left out or cut, and nothing overflows', () => {
  let details: unknown = 0
  for (let i = 0; i < 1_000_000; i++) details = [details]
  expect(recordError(Object.assign(new Error('deep'), { details }))).toMatchObject({ message: 'deep', retryable: true })
})
