import { expect, test } from 'vitest'
import { Issues } from '../../../src/core/definition/issues.ts'
import { acceptSchema } from '../../../src/core/definition/schema-acceptance.ts'
import { checkBySchema } from '../../../src/core/definition/schema-check.ts'
import { relaxSchema } from '../../../src/core/remote-worker/relax-schema.ts'

test.each([
  ['what is supported stays', { type: 'string', minLength: 2 }, { type: 'string', minLength: 2 }],
  ['a pattern goes', { type: 'string', pattern: '^a' }, { type: 'string' }],
  [
    'a format that is not known goes, one that is stays',
    { anyOf: [{ format: 'ipv4' }, { format: 'email' }] },
    { anyOf: [{}, { format: 'email' }] },
  ],
  [
    'a property may be called like a keyword',
    { properties: { pattern: { pattern: 'a', type: 'string' } } },
    { properties: { pattern: { type: 'string' } } },
  ],
  ['not, of something that loses, would refuse more', { not: { pattern: 'a' }, type: 'string' }, { type: 'string' }],
  ['not, of something whole, stays', { not: { const: 1 } }, { not: { const: 1 } }],
  ['oneOf would match two', { oneOf: [{ pattern: 'a' }, { pattern: 'b' }] }, {}],
  [
    'additionalProperties would refuse what patterns let in',
    { patternProperties: { '^x': {} }, additionalProperties: false },
    {},
  ],
  [
    'deep inside',
    { items: { properties: { a: { not: { properties: { b: { $id: 'x' } } } } } } },
    { items: { properties: { a: {} } } },
  ],
])('%s', (_, schema, relaxed) => {
  expect(relaxSchema(schema)).toEqual(relaxed)
})

test('what the whole schema accepts, the relaxed one accepts', () => {
  const relaxed = relaxSchema({
    type: 'object',
    properties: {
      mail: { type: 'string', format: 'email', pattern: '@' },
      tag: { type: 'string', pattern: '^[a-z]+$' },
    },
    required: ['mail'],
    unevaluatedProperties: false,
  })
  expect(acceptSchema(relaxed, [], new Issues())).toBe(true)
  expect(checkBySchema(relaxed, { mail: 'a@b.c', tag: 'x' }).ok).toBe(true)
  expect(checkBySchema(relaxed, { tag: 'x' }).ok).toBe(false)
})
