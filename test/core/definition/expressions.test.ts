// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { describe, expect, test } from 'vitest'
import { accept, mistakes, render, withSteps } from './support.ts'

const params = { n: 5, half: 0.5, text: 'abc', list: [1, 2, 3], names: ['x', 'y'], map: { a: 1 }, nothing: null }

describe('an expression gives plain JSON', () => {
  test.each<[string, unknown]>([
    ['params.n', 5],
    ['1', 1],
    ['-1', -1],
    ['7 / 2', 3],
    ['params.n / 2', 2.5],
    ['params.n + 1', 6],
    ['1 - params.half', 0.5],
    ['params.n * 2', 10],
    ['params.n % 2 == 1', true],
    ['2 * params.n > 9 && params.n < 6', true],
    ['params.n == 5', true],
    ['params.n in [1, 5]', true],
    ['2 in params.list', true],
    ['params.list[0]', 1],
    ['params.list.map(x, x * 2)', [2, 4, 6]],
    ['params.list.filter(x, x > 1).size()', 2],
    ['params.list.exists(x, x == 2)', true],
    ['params.list.map(x, params.list.map(y, x * y))[2]', [3, 6, 9]],
    ['size(params.text)', 3],
    ['params.text + "d"', 'abcd'],
    ['params.text.contains("b")', true],
    ['params.names.join("-")', 'x-y'],
    ['"a,b".split(",")', ['a', 'b']],
    ['string(params.n)', '5'],
    ['params.nothing == null', true],
    ['has(params.missing) ? params.missing : "none"', 'none'],
    ['"a" in params.map', true],
    ['{"a": 1, "b": [true, null]}', { a: 1, b: [true, null] }],
    ['params', params],
    ['type(params.n) == double', true],
    ['timestamp("2027-01-01T00:00:00Z") + duration("36h")', '2027-01-02T12:00:00.000Z'],
    ['timestamp("2027-01-01T00:00:00Z").getFullYear()', 2027],
    ['0.0 * -1.0', 0],
    ['"}${" + "\\"}"', '}${"}'],
  ])('%s', (source, expected) => {
    const value = render(`\${${source}}`, params)
    expect(value).toEqual(expected)
    expect(JSON.parse(JSON.stringify(value))).toEqual(value)
  })

  test('members that look like prototypes stay members of the data', () => {
    const value = render('${params.o}', JSON.parse('{"o":{"__proto__":{"admin":true}}}'))
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
    expect((value as { admin?: unknown }).admin).toBeUndefined()
  })
})

describe('an expression that fails says where and why', () => {
  test.each([
    ['params.missing', 'No such key: missing'],
    ['params.text + params.n', 'no such overload'],
    ['params.list[7]', 'index out of bounds'],
    ['params.nothing.id', 'No such key: id'],
    ['1 / 0', 'division by zero'],
    ['9007199254740993', 'beyond 2^53'],
    ['double("inf")', 'no number of JSON'],
    ['duration("1h")', 'no JSON value'],
    ['type(1)', 'no JSON value'],
    ['params.toString', 'No such key'],
  ])('%s', (source, problem) => {
    expect(() => render(`\${${source}}`, params)).toThrow(/^steps\.0\.value: /)
    expect(() => render(`\${${source}}`, params)).toThrow(problem)
  })

  test('an object with a member "constructor" cannot be read', () => {
    expect(() => render('${params.o.constructor_}', { o: { constructor: 1 } })).toThrow('"constructor"')
  })

  test('the message stays short', () => {
    const source = `params.missing${' '.repeat(3_000)}`
    expect(() => render(`\${${source}}`)).toThrow(/^.{0,500}$/s)
  })
})

describe('what an expression may not do is found before a run', () => {
  const deep = `${'('.repeat(50)}1${')'.repeat(50)}`
  test.each([
    ['', 'empty'],
    ['1 +', 'Unexpected token'],
    ['"a" + true', 'no such overload'],
    ['true ? 1 : "a"', 'same type'],
    ['params.text.matches("(a+)+$")', 'calls matches()'],
    ['cel.bind(x, [1], x + x)', 'bind()'],
    ['params.list.map(x, params.list.map(y, params.list.map(z, x)))', 'nests loops deeper than 2'],
    ['params.list.map(x.y, 1)', 'invalid predicate iteration variable'],
    ['params.list.map()', 'without a name'],
    ['params.__proto__', '__proto__'],
    ['params["__proto__"]', '__proto__'],
    ['params.constructor.constructor("return 1")()', 'Unexpected'],
    ['params.constructor', 'constructor'],
    ['params.prototype', 'prototype'],
    ['constructor', 'not known'],
    ['globalThis', 'not known'],
    ['process.exit()', 'not available'],
    ['b"abc"', 'bytes'],
    ['1u', 'unsigned'],
    ['bytes("a")', 'bytes()'],
    ['optional.of(1)', 'not available'],
    ['google.protobuf', 'not available'],
    ['timestamp("2027-01-01T00:00:00Z").getHours("Europe/Berlin")', 'time zone'],
    ['import', 'Reserved identifier'],
    [deep, 'maxDepth'],
    [`${'!'.repeat(4_000)}true`, 'maxAstNodes'],
    [Array.from({ length: 600 }, () => '1').join('+'), 'maxAstNodes'],
    [`"${'x'.repeat(4_100)}"`, '4096 characters'],
    ['"é" + ü', 'Unexpected character'],
  ])('%s', (source, problem) => {
    const found = mistakes(withSteps({ key: 'a', value: { deep: [`\${${source}}`] } }))
    expect(found[0]?.path).toBe('steps.0.value.deep.0')
    expect(found.map(({ message }) => message).join()).toContain(problem)
  })

  test('so many expressions at most', () => {
    const found = mistakes(withSteps({ key: 'a', value: Array.from({ length: 20_001 }, () => '${1}') }))
    expect(found).toEqual([{ path: 'steps.0.value.20000', message: 'is over the 20000 expressions allowed' }])
  })
})

describe('what an expression may name', () => {
  const before = { key: 'before', value: 1 }

  test('params and the steps before it, directly or not', () => {
    const steps = [before, { key: 'between', value: 1 }, { key: 'it', value: '${[params, before, between]}' }]
    expect(() => accept(withSteps(...steps))).not.toThrow()
  })

  test('a step with a hyphen, or one named like a type, by its key', () => {
    expect(render('${steps["my-step"].id}', {}, { 'my-step': { id: 7 } })).toBe(7)
    expect(render('${steps.list.size()}', {}, { list: [1, 2] })).toBe(2)
    expect(render('${has(steps.user.id)}', {}, { user: { id: 1 } })).toBe(true)
  })

  test.each([
    ['unknown', 'names unknown, which is not known here: there are params and the steps'],
    ['it', 'does not come before it'],
    ['later', 'does not come before it'],
    ['beside', 'does not come before it'],
    ['steps["nowhere"]', 'names the step nowhere, which there is not'],
    ['steps["later"]', 'does not come before it'],
    ['steps', 'needs the key'],
    ['steps[params.key]', 'needs the key'],
    ['item', 'not known'],
    ['index', 'not known'],
    ['previous', 'not known'],
    ['result', 'not known'],
    ['list.size()', 'write steps["list"]'],
    ['[1].map(x, x) == [x]', 'names x'],
  ])('but not %s', (source, problem) => {
    const found = mistakes(
      withSteps(
        before,
        { key: 'list', value: 1 },
        { key: 'beside', value: 1, after: ['before'] },
        { key: 'it', value: `\${${source}}`, after: ['list'] },
        { key: 'later', value: 1 },
      ),
    )
    expect(found).toMatchObject([{ path: 'steps.3.value', message: expect.stringContaining(problem) }])
  })

  test('the variable of a macro hides everything else of its name', () => {
    expect(render('${[1, 2].map(params, params + 1)}')).toEqual([2, 3])
    expect(render('${[1].map(steps, steps)}')).toEqual([1])
  })

  test('an element in a list, the iteration before in a loop, its result in `until`', () => {
    const call = { key: 'it', action: 'do' }
    expect(mistakes(withSteps({ ...call, forEach: [1], params: { a: '${item}', b: '${index}' } }))).toEqual([])
    const loop = { until: 'result.done && index > 1', max: 3 }
    expect(mistakes(withSteps({ ...call, repeat: loop, params: { a: '${previous}', b: '${index}' } }))).toEqual([])
    expect(mistakes(withSteps({ ...call, forEach: '${[item]}' }))[0]?.message).toContain('item')
    expect(mistakes(withSteps({ ...call, forEach: [1], when: 'item' }))[0]?.message).toContain('item')
    expect(mistakes(withSteps({ ...call, forEach: [1], params: { a: '${previous}' } }))[0]?.message).toContain(
      'previous',
    )
    expect(mistakes(withSteps({ ...call, repeat: { until: 'previous', max: 3 } }))[0]?.message).toContain('previous')
  })

  test('the result of the workflow may name every step', () => {
    const steps = [before, { key: 'other', value: 1, after: [] }]
    expect(mistakes({ ...withSteps(...steps), result: '${[before, other]}' })).toEqual([])
    expect(mistakes({ ...withSteps(...steps), result: { a: '${nobody}' } })[0]?.path).toBe('result.a')
  })
})
