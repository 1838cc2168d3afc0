import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { NonRetryableError } from '../../src/core/errors.ts'
import { action } from '../../src/executor/define-action.ts'
import { Registry } from '../../src/executor/registry.ts'
import { encodeResult } from '../../src/executor/result.ts'
import { lateNumberSchema, numberSchema } from './hand-written-schema.ts'

async function encode(
  returned: unknown,
  { schema, maxBytes = 1_000 }: { schema?: StandardSchemaV1; maxBytes?: number } = {},
) {
  const tested = new Registry([action('tested', { ...(schema && { result: schema }), run: () => null })]).get('tested')
  return encodeResult(tested!, returned, maxBytes)
}

/** The error with which a result is refused. */
async function refusal(returned: unknown, options?: Parameters<typeof encode>[1]): Promise<NonRetryableError> {
  const error = await encode(returned, options).catch((thrown: unknown) => thrown)
  if (!(error instanceof NonRetryableError)) throw new Error(`not refused: ${String(error)}`)
  return error
}

class Money {
  toJSON() {
    return { amount: 5, at: new Date(0) }
  }
}

describe('a result', () => {
  test('that is JSON is stored as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ stringUnit: 'grapheme' }), async (value) => {
        expect(await encode(value, { maxBytes: 1e9 })).toBe(JSON.stringify(value))
      }),
    )
  })

  test.each([
    ['nothing', undefined, 'null'],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['what has toJSON, all the way down', [new Money()], '[{"amount":5,"at":"1970-01-01T00:00:00.000Z"}]'],
    ['members that are absent', { a: undefined, b: 1 }, '{"b":1}'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['a member called __proto__', JSON.parse('{"__proto__":[1]}'), '{"__proto__":[1]}'],
    ['the same object twice', Array(2).fill({ a: 1 }), '[{"a":1},{"a":1}]'],
  ])('may be %s', async (_, returned, text) => {
    expect(await encode(returned)).toBe(text)
  })

  test.each([
    ['a Map', { m: new Map() }, 'm: is a Map'],
    ['a function', [() => 1], '0: is a function'],
    ['NaN', Number.NaN, 'is NaN'],
    ['a BigInt', { n: { m: 1n } }, 'n.m: is a bigint'],
    ['undefined in a list', [undefined], '0: is undefined'],
    ['an Error', new Error('m'), 'is a Error'],
    ['a NUL', 'a\u0000', 'contains a NUL'],
  ])('may not be %s, and the refusal says where', async (_, returned, problem) => {
    const error = await refusal(returned)
    expect(error.code).toBe('INVALID_RESULT')
    expect(error.message).toContain(`The result is not valid JSON: ${problem}`)
    expect(error.details).toMatchObject({ issues: [{ path: expect.any(String) }] })
  })

  test('that contains itself is refused at once, however often it does', async () => {
    const parent: { children: unknown[] } = { children: [] }
    for (let i = 0; i < 50; i++) parent.children.push({ parent, siblings: parent.children })
    expect((await refusal(parent)).message).toContain('nested deeper than 100 levels')
    const own = { toJSON: () => own }
    expect((await refusal(own)).code).toBe('INVALID_RESULT')
    const endless = () => ({ toJSON: endless })
    expect((await refusal(endless())).code).toBe('INVALID_RESULT')
  })

  test('is refused beyond 100 levels, not before, and without running out of stack', async () => {
    const nested = (depth: number) => {
      let value: unknown = 0
      for (let i = 0; i < depth; i++) value = [value]
      return value
    }
    expect(await encode(nested(100))).toHaveLength(201)
    for (const depth of [101, 150, 1_000_000])
      expect((await refusal(nested(depth))).message).toContain('nested deeper than 100 levels')
  })

  test('is measured in bytes of UTF-8, and the limit itself is allowed', async () => {
    expect(await encode('€', { maxBytes: 5 })).toBe('"€"')
    const error = await refusal('€', { maxBytes: 4 })
    expect(error).toMatchObject({ code: 'RESULT_TOO_LARGE', details: { bytes: 5, limit: 4 } })
    expect(error.message).toBe('The result takes 5 bytes as JSON; the limit is 4')
  })
})

describe('a result schema', () => {
  test('decides what is stored: its output', async () => {
    const schema = z.object({ n: z.string().transform(Number), label: z.string().default('none') })
    expect(await encode({ n: '7', extra: 1 }, { schema })).toBe('{"n":7,"label":"none"}')
  })

  test('may be any Standard Schema, and may take its time', async () => {
    expect(await encode('7', { schema: numberSchema })).toBe('7')
    expect(await encode('7', { schema: lateNumberSchema })).toBe('7')
  })

  test('that refuses says where, whatever the path is made of', async () => {
    for (const schema of [numberSchema, lateNumberSchema]) {
      const error = await refusal({}, { schema })
      expect(error.message).toBe('The result does not match its schema: list.0.Symbol(odd): is no number')
      expect(error.details).toEqual({
        issues: [
          { path: 'list.0.Symbol(odd)', message: 'is no number' },
          { path: '', message: 'at the root' },
        ],
      })
    }
  })

  test('that throws is not taken for a refusal', async () => {
    const broken: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'broken',
        validate: () => {
          throw new TypeError('a bug of the schema')
        },
      },
    }
    await expect(encode(1, { schema: broken })).rejects.toThrow(TypeError)
  })

  test('whose output is not JSON is refused for that', async () => {
    const schema = z.string().transform((digits) => BigInt(digits))
    expect((await refusal('7', { schema })).message).toContain('is a bigint')
  })
})
