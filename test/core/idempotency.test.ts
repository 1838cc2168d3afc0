import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fingerprint, idempotencyKeyProblem, MAX_KEY_LENGTH } from '../../src/core/idempotency.ts'
import { anyText } from './support.ts'

const ofText = (canonical: string) => createHash('sha256').update(canonical, 'utf8').digest()
const same = (a: string, b: string) => fingerprint(JSON.parse(a)).equals(fingerprint(JSON.parse(b)))

describe('the fingerprint of params', () => {
  test('is SHA-256 over their canonical JSON', () => {
    expect(fingerprint({})).toEqual(ofText('{}'))
    expect(fingerprint({ b: [1, null], a: 'x' })).toEqual(ofText('{"a":"x","b":[1,null]}'))
  })

  test('agrees with the example of RFC 8785 for numbers, strings and literals', () => {
    const given = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    const canonical = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
    expect(fingerprint(JSON.parse(given))).toEqual(ofText(canonical))
  })

  test('agrees with the example of RFC 8785 for the order of members: by UTF-16 code units', () => {
    const given = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    const canonical = [
      String.raw`{"\r":"Carriage Return","1":"One",`,
      '"\u0080":"Control","\u00F6":"Latin Small Letter O With Diaeresis","\u20AC":"Euro Sign",',
      '"\u{1F600}":"Emoji: Grinning Face","\uFB33":"Hebrew Letter Dalet With Dagesh"}',
    ].join('')
    expect(fingerprint(JSON.parse(given))).toEqual(ofText(canonical))
  })

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555556', '333333333.3333334'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('agrees with RFC 8785 on the number whose bits are %s', (bits, text) => {
    expect(fingerprint(Buffer.from(bits, 'hex').readDoubleBE())).toEqual(ofText(text))
  })

  test.each([
    ['{"a":1,"b":2}', ' {\n\t"b" : 2 ,\r "a":1 } ', 'order and white space'],
    ['{"n":1}', '{"n":1.0}', 'the notation of a number'],
    ['{"n":100}', '{"n":1e2}', 'an exponent'],
    ['{"n":0}', '{"n":-0}', 'the sign of zero'],
    ['{"n":9007199254740992}', '{"n":9007199254740993}', 'digits that a double cannot hold'],
    ['{"s":"é/"}', String.raw`{"s":"\u00e9\/"}`, 'escapes'],
    ['{"a":2}', '{"a":1,"a":2}', 'all but the last of duplicate members'],
  ])('%s and %s are the same params, whatever %s', (a, b) => {
    expect(same(a, b)).toBe(true)
  })

  test.each([
    ['{}', '{"a":null}'],
    ['{}', '[]'],
    ['{"a":null}', '{"a":false}'],
    ['{"a":0}', '{"a":"0"}'],
    ['{"a":[1,2]}', '{"a":[2,1]}'],
    ['{"a":[[1],2]}', '{"a":[1,[2]]}'],
    ['{"a":""}', '{"a":" "}'],
    ['{"s":"\u00E9"}', '{"s":"e\u0301"}'],
    ['{"\u00E9":1}', '{"e\u0301":1}'],
    ['{"a":{"b":1}}', '{"a.b":1}'],
    ['{"__proto__":1}', '{}'],
    ['{"n":9007199254740992}', '{"n":9007199254740994}'],
  ])('%s and %s are different params', (a, b) => {
    expect(same(a, b)).toBe(false)
  })

  test('does not depend on the order of members at any depth, nor on how the JSON is laid out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const relaid = JSON.parse(JSON.stringify(reversed(value), null, indent))
        expect(fingerprint(relaid)).toEqual(fingerprint(value))
      }),
    )
  })

  test('tells apart whatever JSON tells apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const alike = JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))
        expect(fingerprint(a).equals(fingerprint(b))).toBe(alike)
      }),
    )
  })

  test.each([undefined, () => 1, Symbol('s'), Number.NaN, Number.POSITIVE_INFINITY, 1n, '\uD800'])(
    'is refused for %s, which is not JSON',
    (value) => {
      expect(() => fingerprint(value)).toThrow(Error)
    },
  )
})

describe('an idempotency key', () => {
  test.each(['k', ' ', 'order 7: retry', 'ключ', '鍵', '🔑', 'a'.repeat(255), '🔑'.repeat(255)])('may be %s', (key) => {
    expect(idempotencyKeyProblem(key)).toBeUndefined()
  })

  test.each([
    ['', 'is empty'],
    ['a'.repeat(256), `longer than ${MAX_KEY_LENGTH}`],
    ['🔑'.repeat(256), `longer than ${MAX_KEY_LENGTH}`],
    ['a\nb', 'control character'],
    ['a\u0000', 'control character'],
    ['\u007F', 'control character'],
    ['\u0085', 'control character'],
    ['a\u2028b', 'control character'],
    ['a\u2029b', 'control character'],
    ['\uD83D', 'lone surrogate'],
    ['a\uDD11b', 'lone surrogate'],
  ])('is refused with its reason when it is %j', (key, problem) => {
    expect(idempotencyKeyProblem(key)).toContain(problem)
  })

  test('that is accepted is text of 1 to 255 code points without control characters, and only such text is', () => {
    fc.assert(
      fc.property(anyText(300), (key) => {
        const length = Array.from(key).length
        const controls = Array.from(key).some((c) => /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/.test(c))
        expect(idempotencyKeyProblem(key) === undefined).toBe(length >= 1 && length <= 255 && !controls)
      }),
    )
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([member, inner]) => [member, reversed(inner)]),
  )
}

/** The same value with its members in one order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(ordered)]
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return ['object', ...members.map(([member, inner]) => [member, ordered(inner)])]
}
