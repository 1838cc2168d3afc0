import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteLength, jsonIssues, MAX_JSON_DEPTH, storableText } from '../../src/core/json.ts'

const NUL = 'contains a NUL character (U+0000), which Postgres cannot store'
const SURROGATE = 'contains a lone surrogate, which is not Unicode text'

function nested(depth: number, wrap: (inner: unknown) => unknown, core: unknown = 0): unknown {
  let value = core
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}
const inArray = (inner: unknown) => [inner]
const inObject = (inner: unknown) => ({ a: inner })

describe('plain JSON', () => {
  test('of any shape is accepted', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        expect(jsonIssues(value)).toEqual([])
      }),
    )
  })

  test.each([
    [null],
    [''],
    [-0],
    [Number.MIN_VALUE],
    [Number.MAX_VALUE],
    ['\u{10FFFF}'],
    ['\uFFFF\u0001'],
    [{ '': {} }],
    [JSON.parse('{"__proto__":{"constructor":1},"toString":2}')],
    [Object.assign(Object.create(null), { a: 1 })],
  ])('%j is accepted', (value) => {
    expect(jsonIssues(value)).toEqual([])
  })
})

describe('what cannot be stored', () => {
  test.each([
    ['a NUL at the root', '\u0000', '', NUL],
    ['a NUL deep inside', { a: [1, { b: 'x\u0000' }] }, 'a.1.b', NUL],
    ['a high surrogate alone', ['\uD83D'], '0', SURROGATE],
    ['surrogates in the wrong order', { a: '\uDE00\uD83D' }, 'a', SURROGATE],
    ['a NUL in the name of a member', { a: { 'b\u0000': 1 } }, 'a', `has a member whose name ${NUL}`],
    ['a surrogate in the name of a member of the root', { '\uD800': 1 }, '', `has a member whose name ${SURROGATE}`],
    ['NaN', { n: Number.NaN }, 'n', 'is NaN, which JSON cannot hold'],
    ['an infinite number', [Number.NEGATIVE_INFINITY], '0', 'is -Infinity, which JSON cannot hold'],
    ['an undefined member', { a: undefined }, 'a', 'is undefined, which JSON cannot hold'],
    ['a BigInt', { a: 1n }, 'a', 'is a bigint, which JSON cannot hold'],
    ['a function', { a: () => 1 }, 'a', 'is a function, which JSON cannot hold'],
    ['a symbol', Symbol('s'), '', 'is a symbol, which JSON cannot hold'],
    ['a Date', { at: new Date(0) }, 'at', 'is a Date, which JSON cannot hold'],
    ['a Map', [new Map()], '0', 'is a Map, which JSON cannot hold'],
    ['a boxed number', Object(1), '', 'is a Number, which JSON cannot hold'],
    ['a Buffer', { a: Buffer.from('x') }, 'a', 'is a Buffer, which JSON cannot hold'],
    ['an object of no class', Object.create(Object.create(null)), '', 'is a object, which JSON cannot hold'],
  ])('is named with its place: %s', (_, value, path, message) => {
    expect(jsonIssues(value)).toEqual([{ path, message }])
  })

  test('is listed in the order in which it stands, all of it', () => {
    const value = { a: '\u0000', b: [1, Number.NaN], 'c\u0000': 1n }
    expect(jsonIssues(value).map(({ path }) => path)).toEqual(['a', 'b.1', '', 'c\u0000'])
  })

  test.each([
    ['bad values', Array.from({ length: 5_000 }, () => '\u0000')],
    ['bad names', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}\u0000`, 1]))],
    ['bad names and values', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}\u0000`, 1n]))],
    ['branches that are too deep', Array.from({ length: 100 }, () => nested(150, inObject))],
  ])('is listed 20 times at most: %s', (_, value) => {
    expect(jsonIssues(value)).toHaveLength(20)
  })
})

describe('nesting', () => {
  test.each([
    ['arrays', inArray],
    ['objects', inObject],
  ])('of %s is accepted 100 levels deep and refused at 101', (_, wrap) => {
    expect(jsonIssues(nested(MAX_JSON_DEPTH, wrap))).toEqual([])
    expect(jsonIssues(nested(MAX_JSON_DEPTH + 1, wrap))).toMatchObject([
      { message: 'is nested deeper than 100 levels' },
    ])
  })

  test('that is empty inside counts like any other', () => {
    expect(jsonIssues(nested(MAX_JSON_DEPTH - 1, inArray, []))).toEqual([])
    expect(jsonIssues(nested(MAX_JSON_DEPTH, inArray, []))).toHaveLength(1)
  })

  test.each([
    ['arrays', inArray],
    ['objects', inObject],
  ])('of a million %s is refused without running out of stack', (_, wrap) => {
    expect(jsonIssues(nested(1_000_000, wrap))).toHaveLength(1)
  })

  test('without end is refused', () => {
    const loop: { list: unknown[]; self?: unknown } = { list: [] }
    loop.self = loop
    loop.list.push(loop, loop)
    expect(jsonIssues(loop).length).toBeGreaterThan(0)
  })
})

describe('storableText', () => {
  test('leaves text alone that Postgres can store and that is within the limit', () => {
    expect(storableText('grün 🔑\n', 100)).toBe('grün 🔑\n')
    expect(storableText('abc', 3)).toBe('abc')
    expect(storableText('', 0)).toBe('')
  })

  test('replaces what Postgres cannot store', () => {
    expect(storableText('a\u0000b\uD83Dc\uDE00', 100)).toBe('a\uFFFDb\uFFFDc\uFFFD')
  })

  test('cuts what is too long and says how much is missing', () => {
    expect(storableText('abcdef', 4)).toBe('abcd… (2 characters more)')
  })

  test('never leaves half of a character where it cuts', () => {
    expect(storableText('ab🔑', 3)).toBe('ab\uFFFD… (1 characters more)')
  })

  test('always gives text that can be stored, hardly longer than the limit', () => {
    const units = fc.array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xd83d, 0xdd11)), { maxLength: 30 })
    fc.assert(
      fc.property(units, fc.nat(20), (codes, max) => {
        const stored = storableText(String.fromCharCode(...codes), max)
        expect(jsonIssues(stored)).toEqual([])
        expect(stored.length).toBeLessThanOrEqual(max + 30)
      }),
    )
  })
})

test('the length of a text is counted in bytes of UTF-8', () => {
  expect(['', 'a', 'é', '€', '🔑'].map(byteLength)).toEqual([0, 1, 2, 3, 4])
})
