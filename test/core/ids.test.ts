import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUCKETS, bucketOf, downstreamKey, keyedRunId, newRunId, parseRunId, showRunId } from '../../src/core/ids.ts'
import { RUN_KINDS } from '../../src/core/status.ts'
import { anyText, trickyText } from './support.ts'

const V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const kind = fc.constantFrom(...RUN_KINDS)
const part = fc.oneof(trickyText, anyText(8))
const tuple = fc.tuple(kind, part, part)
const runId = fc.oneof(
  fc.uuid({ version: [7, 8] }),
  tuple.map((parts) => keyedRunId(...parts)),
)

describe('the id of a run with a key', () => {
  test('is the same for ever: stored runs are found by it', () => {
    expect(keyedRunId('ACTION', 'send-welcome-email', 'order-7')).toBe(PINNED)
  })

  test('is a UUIDv8 over SHA-256 of the namespace, the kind, the name and the key', () => {
    fc.assert(
      fc.property(kind, part, part, (runKind, name, key) => {
        const id = keyedRunId(runKind, name, key)
        const hash = createHash('sha256')
          .update(JSON.stringify(['default', runKind, name, key]))
          .digest('hex')
        expect(id).toMatch(V8)
        expect(keyedRunId(runKind, name, key)).toBe(id)
        const [hex, version, variant] = [id.replaceAll('-', ''), 12, 16]
        const fromHash = [...hex].map((digit, i) => (i === version || i === variant ? digit : hash[i])).join('')
        expect(hex).toBe(fromHash)
      }),
    )
  })

  test('differs wherever kind, name or key differ, however their parts could be joined', () => {
    fc.assert(
      fc.property(tuple, tuple, (a, b) => {
        const alike = a.every((value, i) => value === b[i])
        expect(keyedRunId(...a) === keyedRunId(...b)).toBe(alike)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    [
      ['a', 'bc'],
      ['ab', 'c'],
    ],
    [
      ['a","b', 'c'],
      ['a', 'b","c'],
    ],
    [
      ['a\\', '"b'],
      ['a', '\\"b'],
    ],
    [
      ['', 'a'],
      ['a', ''],
    ],
    [
      ['a', '\uD800'],
      ['a', '\\ud800'],
    ],
    [
      ['a', '\uD800'],
      ['a', '\uFFFD'],
    ],
    [
      ['a', '\u00E9'],
      ['a', 'e\u0301'],
    ],
  ] as const)('differs for %j and %j', ([nameA, keyA], [nameB, keyB]) => {
    expect(keyedRunId('ACTION', nameA, keyA)).not.toBe(keyedRunId('ACTION', nameB, keyB))
  })
})

describe('the id of a run without a key', () => {
  test('is a UUIDv7, and ids made one after another are in order, as UUIDs and as shown', () => {
    const ids = Array.from({ length: 2_000 }, newRunId)
    expect(ids.every((id) => V7.test(id))).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort()).toEqual(ids)
    expect(ids.map(showRunId).sort()).toEqual(ids.map(showRunId))
  })
})

describe('the bucket of an id', () => {
  test('is its low 10 bits', () => {
    fc.assert(
      fc.property(runId, (id) => {
        const low = Number(BigInt(`0x${id.replaceAll('-', '')}`) & 1023n)
        expect(bucketOf(id)).toBe(low)
        expect(bucketOf(id.toUpperCase())).toBe(low)
      }),
    )
  })

  test.each([
    ['00000000-0000-7000-8000-000000000000', 0],
    ['00000000-0000-7000-8000-0000000003ff', 1_023],
    ['00000000-0000-7000-8000-000000000400', 0],
    ['ffffffff-ffff-7fff-bfff-ffffffffffff', 1_023],
  ])('of %s is %d', (id, bucket) => {
    expect(bucketOf(id)).toBe(bucket)
  })

  test('spreads keyed runs over all buckets', () => {
    const counts = new Array<number>(BUCKETS).fill(0)
    for (let i = 0; i < 20_000; i++) counts[bucketOf(keyedRunId('ACTION', 'a', `key-${i}`))]!++
    expect(counts.filter((count) => count === 0)).toEqual([])
    expect(Math.max(...counts)).toBeLessThan(60)
  })
})

describe('the id as it is shown', () => {
  test('is run_ and 26 characters, keeps the order of the ids and leads back to the id', () => {
    fc.assert(
      fc.property(runId, runId, (a, b) => {
        expect(showRunId(a)).toMatch(/^run_[0-7][0-9a-hjkmnp-tv-z]{25}$/)
        expect(parseRunId(showRunId(a))).toBe(a)
        expect(showRunId(a) < showRunId(b)).toBe(a < b)
      }),
    )
  })

  const good = showRunId('01890a5d-ac96-774b-bcce-b302099a8057')
  test.each([
    ['nothing', ''],
    ['the prefix alone', 'run_'],
    ['a UUID', '01890a5d-ac96-774b-bcce-b302099a8057'],
    ['no prefix', good.slice(4)],
    ['an empty prefix', `_${good.slice(4)}`],
    ['another prefix', `step_${good.slice(4)}`],
    ['a longer prefix', `my_${good}`],
    ['upper case', good.toUpperCase()],
    ['one upper-case letter', `run_${good.slice(4).toUpperCase()}`],
    ['a character too few', good.slice(0, -1)],
    ['a character too many', `${good}0`],
    ['white space before', ` ${good}`],
    ['a line feed after', `${good}\n`],
    ['a letter that base 32 leaves out', `${good.slice(0, -1)}u`],
    ['a letter that is no ASCII', `${good.slice(0, -1)}é`],
    ['128 bits overflowed', `run_8${good.slice(5)}`],
    ['no version that a run has', 'run_00000000000000000000000001'],
  ])('is refused when it is %s', (_, shown) => {
    expect(parseRunId(shown)).toBeUndefined()
  })

  test('is parsed without ever throwing, and only what is shown again exactly so is accepted', () => {
    const almost = fc.tuple(runId, fc.nat(29), fc.string({ unit: 'binary', maxLength: 2 })).map(([id, at, text]) => {
      const shown = showRunId(id)
      return shown.slice(0, at) + text + shown.slice(at + text.length)
    })
    fc.assert(
      fc.property(
        fc.oneof(
          anyText(40),
          anyText(40).map((text) => `run_${text}`),
          almost,
        ),
        (text) => {
          const parsed = parseRunId(text)
          if (parsed !== undefined) expect(showRunId(parsed)).toBe(text)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('the key that a handler passes on', () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'

  test('is the shown id at first, and another with each generation', () => {
    const keys = [1, 2, 3, 12].map((generation) => downstreamKey(id, generation))
    expect(keys).toEqual(['', '-2', '-3', '-12'].map((suffix) => showRunId(id) + suffix))
  })

  test('differs for different runs and generations, and is printable', () => {
    fc.assert(
      fc.property(runId, runId, fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (a, b, m, n) => {
        expect(downstreamKey(a, m) === downstreamKey(b, n)).toBe(a === b && m === n)
        expect(downstreamKey(a, m)).toMatch(/^[\x21-\x7e]{1,255}$/)
      }),
    )
  })
})

/** Computed once, by hand: printf '["default","ACTION","send-welcome-email","order-7"]' | sha256sum, version and variant set. */
const PINNED = '0fbfdac7-9836-87b2-8d25-110252d0c742'
