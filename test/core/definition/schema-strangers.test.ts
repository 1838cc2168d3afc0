import { Validator } from '@cfworker/json-schema'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Issues } from '../../../src/core/definition/issues.ts'
import { acceptSchema, type Schema } from '../../../src/core/definition/schema-acceptance.ts'
import { checkBySchema } from '../../../src/core/definition/schema-check.ts'
import type { Checked } from '../../../src/core/workflow/logic.ts'
import { duration } from './support.ts'

function refusal(schema: unknown) {
  const issues = new Issues()
  acceptSchema(schema, ['s'], issues)
  return issues.list[0]
}

const nested = (depth: number): unknown => (depth === 0 ? {} : { items: nested(depth - 1) })

describe('a schema of a stranger is refused', () => {
  test.each<[string, string, unknown]>([
    ['s', 'a JSON Schema', 'string'],
    ['s', 'a JSON Schema', null],
    ['s.pattern', 'for ever', { pattern: '(a+)+$' }],
    ['s.properties.a.patternProperties', 'for ever', { properties: { a: { patternProperties: {} } } }],
    ['s.format', 'one of', { format: 'regex' }],
    ['s.$id', 'not supported', { $id: 'https://example.com' }],
    ['s.$dynamicRef', 'not supported', { $dynamicRef: '#a' }],
    ['s.unevaluatedProperties', 'not supported', { unevaluatedProperties: false }],
    ['s.$ref', 'nothing outside', { $ref: 'https://example.com/schema' }],
    ['s.$ref', 'nothing outside', { $ref: 'file:///etc/passwd' }],
    ['s.$ref', 'there is not', { $ref: '#/$defs/nowhere' }],
    ['s.$ref', 'there is not', { $ref: '#/$defs/__proto__', $defs: {} }],
    ['s.$ref', 'there is not', { $ref: '#/$defs/constructor', $defs: {} }],
    ['s.requierd', 'no keyword', { requierd: ['a'] }],
    ['s.constructor', 'no keyword', { constructor: 1 }],
    ['s.type', 'one or several', { type: 'text' }],
    ['s.type', 'one or several', { type: [] }],
    ['s.enum', 'not empty', { enum: [] }],
    ['s.required', 'list of texts', { required: 'a' }],
    ['s.minLength', 'whole number', { minLength: -1 }],
    ['s.multipleOf', 'over 0', { multipleOf: 0 }],
    ['s.properties', 'object of JSON Schemas', { properties: true }],
    ['s.properties.a', 'a JSON Schema', { properties: { a: 1 } }],
    ['s.items', 'a JSON Schema', { items: [{}] }],
    ['s.allOf', 'list of JSON Schemas', { allOf: [] }],
    ['s.anyOf.0', 'a JSON Schema', { anyOf: [7] }],
    ['s.dependentRequired', 'lists of texts', { dependentRequired: { a: 'b' } }],
    ['s', 'circle', { $ref: '#' }],
    ['s', 'circle', { $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } }],
    ['s', 'may take 65536', { description: 'x'.repeat(70_000) }],
    ['s.anyOf.999', 'over the 1000', { anyOf: Array.from({ length: 1_001 }, () => ({})) }],
    [`s${'.items'.repeat(33)}`, 'deeper than 32', nested(40)],
  ])('at %s: %s', (path, message, schema) => {
    expect(refusal(schema)?.path).toBe(path)
    expect(refusal(schema)?.message).toContain(message)
  })

  test('but not one that comes back to itself inside of the value', () => {
    const tree: Schema = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }
    expect(refusal(tree)).toBeUndefined()
    expect(checkBySchema(tree, { children: [{ children: [{ children: [] }] }] }).ok).toBe(true)
    const wrong = checkBySchema(tree, { children: [{ children: [7] }] })
    expect(wrong).toEqual({
      ok: false,
      issues: [{ path: 'children.0.children.0', message: 'is 7; it must be of type object' }],
    })
  })
})

describe('checking a value', () => {
  test.each<[Schema, unknown, string, string]>([
    [{ type: ['string', 'null'] }, 1, '', 'of type string or null'],
    [{ type: 'integer' }, 1.5, '', 'of type integer'],
    [{ enum: ['a', { b: 1 }] }, { b: 2 }, '', 'one of "a", an object'],
    [{ const: 1 }, 2, '', 'must be 1'],
    [{ minimum: 3 }, 2, '', '3 or more'],
    [{ multipleOf: 0.1 }, 0.35, '', 'a multiple of 0.1'],
    [{ maxLength: 1 }, '😀😀', '', 'has 2 characters'],
    [{ format: 'date' }, '2027-02-30', '', 'no date'],
    [{ format: 'date-time' }, '2027-01-01T24:00:00Z', '', 'no date-time'],
    [{ format: 'uri' }, 'no uri', '', 'no uri'],
    [{ required: ['a'] }, {}, 'a', 'is missing'],
    [{ required: ['constructor'] }, {}, 'constructor', 'is missing'],
    [{ properties: { a: { type: 'string' } }, additionalProperties: false }, { a: '', b: 1 }, 'b', 'not allowed'],
    [{ propertyNames: { maxLength: 1 } }, { ab: 1 }, 'ab', 'has a name'],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'b', 'is missing'],
    [{ items: { type: 'number' } }, [1, 'x'], '1', 'of type number'],
    [{ uniqueItems: true }, [{ a: 1, b: 2 }, 1, { b: 2, a: 1 }], '2', 'already'],
    [{ contains: { const: 1 } }, [2], '', '1 or more'],
    [{ oneOf: [{}, {}] }, 1, '', 'fits 2'],
    [{ anyOf: [{ type: 'null' }] }, 1, '', 'none'],
    [{ not: {} }, 1, '', 'not'],
    [{ if: { type: 'number' }, else: { const: 'a' } }, 'b', '', 'must be "a"'],
  ])('%j refuses %j', (schema, value, path, message) => {
    const checked = checkBySchema(schema, value)
    expect(checked).toMatchObject({ ok: false, issues: [{ path, message: expect.stringContaining(message) }] })
  })

  test('fills in the defaults of absent members, not of those that are null, and leaves what it was given alone', () => {
    const schema: Schema = {
      properties: { a: { default: 1 }, b: { default: 2 }, c: { properties: { d: { default: [] } } } },
    }
    const given = { b: null, c: {} }
    expect(checkBySchema(schema, given)).toEqual({ ok: true, value: { a: 1, b: null, c: { d: [] } } })
    expect(given).toEqual({ b: null, c: {} })
  })

  test('agrees with another implementation of JSON Schema', () => {
    const number = fc.constantFrom(-1, 0, 1, 1.5, 2, 3)
    const value = fc.jsonValue({ maxDepth: 2, noUnicodeString: true } as object)
    const leaf: fc.Arbitrary<object> = fc.oneof(
      fc.record({ type: fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object') }),
      fc.record({ minimum: number }),
      fc.record({ exclusiveMaximum: number }),
      fc.record({ maxLength: fc.nat(3) }),
      fc.record({ minItems: fc.nat(2) }),
      fc.record({ maxProperties: fc.nat(2) }),
      fc.record({ uniqueItems: fc.boolean() }),
      fc.record({ const: value }),
      fc.record({ enum: fc.array(value, { minLength: 1, maxLength: 3 }) }),
      fc.record({ required: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }) }),
    )
    const { schema } = fc.letrec<{ schema: object }>((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.record({ properties: fc.record({ a: tie('schema'), b: tie('schema') }) }),
        fc.record({ additionalProperties: fc.oneof(tie('schema'), fc.boolean()) }),
        fc.record({ items: tie('schema') }),
        fc.record({ prefixItems: fc.tuple(tie('schema')), items: tie('schema') }),
        fc.record({ contains: tie('schema'), maxContains: fc.nat(2) }),
        fc.record({ allOf: fc.tuple(tie('schema'), tie('schema')) }),
        fc.record({ anyOf: fc.tuple(tie('schema'), tie('schema')) }),
        fc.record({ oneOf: fc.tuple(tie('schema'), tie('schema')) }),
        fc.record({ not: tie('schema') }),
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits it
        fc.record({ if: tie('schema'), then: tie('schema'), else: tie('schema') }),
      ),
    }))
    const probe = fc.oneof(value, fc.dictionary(fc.constantFrom('a', 'b', 'c'), value), fc.array(number))
    fc.assert(
      fc.property(schema, probe, (written, instance) => {
        // what JSON cannot tell apart is none of ours
        const [plain, probed] = JSON.parse(JSON.stringify([written, instance])) as [object, unknown]
        expect(refusal(plain)).toBeUndefined()
        const theirs = new Validator(structuredClone(plain), '2020-12').validate(probed).valid
        expect(checkBySchema(plain as Schema, probed).ok).toBe(theirs)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a schema and a value cannot keep the event loop busy', () => {
  const object = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `d${i}`,
      { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  )
  const forks: Schema = { properties: { a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } }
  const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: deep(depth - 1) })

  test.each<[string, Schema, unknown, boolean]>([
    [
      'many schemas of a large object',
      { allOf: Array.from({ length: 900 }, () => ({ minProperties: 1 })) },
      object,
      false,
    ],
    [
      'many schemas of a long text',
      { allOf: Array.from({ length: 900 }, () => ({ maxLength: 1 })) },
      'x'.repeat(1e6),
      false,
    ],
    ['references that double', { $ref: '#/$defs/d0', $defs: { ...doubling, d30: {} } }, {}, false],
    ['references that double with the depth of the value', forks, deep(90), false],
    ['a long list of distinct elements', { uniqueItems: true }, Array.from({ length: 50_000 }, (_, i) => i), true],
    ['a long list', { items: { type: 'number' } }, Array.from({ length: 200_000 }, () => 1), true],
    [
      'a large enum',
      { items: { enum: Array.from({ length: 5_000 }, (_, i) => i) } },
      Array(200_000).fill(4_999),
      false,
    ],
    ['an address without an end', { format: 'email' }, `${'a.'.repeat(500_000)}@`, false],
    ['a date without an end', { format: 'date-time' }, `2027-01-01T00:00:00.${'1'.repeat(1_000_000)}`, false],
  ])('%s', (_name, schema, value, ok) => {
    expect(refusal(schema)).toBeUndefined()
    let checked: Checked | undefined
    expect(duration(() => (checked = checkBySchema(schema, value)))).toBeLessThan(1_000)
    expect(checked?.ok).toBe(ok)
  })
})
