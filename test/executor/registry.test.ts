import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Action, action } from '../../src/executor/define-action.ts'
import { Registry } from '../../src/executor/registry.ts'
import { numberSchema } from './hand-written-schema.ts'

const run = () => null

test('actions are found by name, and what is not registered is not', () => {
  const mail = action('mail', { run })
  const registry = new Registry([mail])
  expect(registry.get('mail')).toMatchObject(mail)
  for (const name of ['Mail', 'mail ', '', '__proto__', 'constructor', 'toString'])
    expect(registry.get(name)).toBeUndefined()
})

test('actions are listed in alphabetical order, whatever the order they were given in', () => {
  const names = ['b', 'a.b', 'a', '10', '9', 'a-b', 'a_b']
  const registry = new Registry(names.map((name) => action(name, { run })))
  expect(registry.names()).toEqual([...names].sort())
  expect(registry.all().map(({ name }) => name)).toEqual(registry.names())
})

test('no action is no mistake', () => {
  expect(new Registry([]).all()).toEqual([])
})

test('two actions of one name are refused by name', () => {
  expect(() => new Registry([action('mail', { run }), action('mail', { run })])).toThrow(
    'two actions are called "mail"',
  )
})

test.each([undefined, null, {}, 'mail', { name: 'mail', run }])('%o in the place of an action is refused', (member) => {
  expect(() => new Registry([member as unknown as Action])).toThrow(TypeError)
})

test('the catalogue shows what a caller gives and what it gets: the input of params, the output of the result', () => {
  const stamped = action('stamped', {
    params: z.object({ at: z.string().transform(Number), times: z.number().default(1) }),
    result: z.object({ n: z.number(), label: z.string().default('none') }),
    run: () => ({ n: 1 }),
  })
  const shown = new Registry([stamped]).get('stamped')
  expect(shown?.paramsJsonSchema).toMatchObject({ properties: { at: { type: 'string' } }, required: ['at'] })
  expect(shown?.resultJsonSchema).toMatchObject({ type: 'object', required: ['n', 'label'] })
})

test('what JSON Schema cannot say is left open, and a library that gives no JSON Schema is no obstacle', () => {
  const open = action('open', { params: z.object({ at: z.date() }), run })
  const plain = action('plain', { params: numberSchema, run })
  const none = action('none', { run })
  const registry = new Registry([open, plain, none])
  expect(registry.get('open')?.paramsJsonSchema).toMatchObject({ properties: { at: {} } })
  expect(registry.get('plain')?.paramsJsonSchema).toBeNull()
  expect(registry.get('none')).toMatchObject({ paramsJsonSchema: null, resultJsonSchema: null })
})

test('a library that throws when it is asked for a JSON Schema leaves the catalogue without one', () => {
  const jsonSchema = {
    input: () => {
      throw new Error('cannot')
    },
  }
  const schema = { '~standard': { ...numberSchema['~standard'], jsonSchema } }
  expect(new Registry([action('odd', { params: schema, run })]).get('odd')?.paramsJsonSchema).toBeNull()
})
