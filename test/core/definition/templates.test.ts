// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partsOf } from '../../../src/core/definition/placeholders.ts'
import { render } from './support.ts'

const params = { name: 'Ada', n: 3, list: [1, 'a'], nothing: null }

describe('a template', () => {
  test.each<[unknown, unknown]>([
    ['plain', 'plain'],
    ['${params.n}', 3],
    ['${params.list}', [1, 'a']],
    ['n is ${params.n}', 'n is 3'],
    ['${params.n}${params.n}', '33'],
    [' ${params.n}', ' 3'],
    ['list ${params.list}, ${params.nothing}', 'list [1,"a"], null'],
    ['$${params.n}', '${params.n}'],
    ['$${${params.n}}', '${3}'],
    ['$$${x}', '$${x}'],
    ['5 $ and $', '5 $ and $'],
    ['${ {"a": "}"} }', { a: '}' }],
    ['${"\'}\'"}', "'}'"],
    ['${"""a}"b""" + "c"}', 'a}"bc'],
    ['${"\\"}"}!', '"}!'],
    ['😀${params.name}😀', '😀Ada😀'],
    [
      { a: ['${params.n}', { b: 'x${params.n}' }], c: 1 },
      { a: [3, { b: 'x3' }], c: 1 },
    ],
    [null, null],
    [7, 7],
    [[], []],
  ])('%j', (template, expected) => {
    expect(render(template, params)).toEqual(expected)
  })

  test('keeps an own member __proto__ of the template', () => {
    const value = render(JSON.parse('{"__proto__":"${params.n}"}'), params) as object
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('names are not replaced in the members', () => {
    expect(render({ '${params.n}': 1 }, params)).toEqual({ '${params.n}': 1 })
  })
})

describe('partsOf', () => {
  test.each(['${', 'a ${b', '${"}', '${"""}"', "${'", '${ {"a": 1} '])('%j is never closed', (text) => {
    expect(partsOf(text)).toBeUndefined()
  })

  test('loses nothing: put together again the parts are the text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('$', '{', '}', '"', "'", '\\', 'a', '😀')), (characters) => {
        const text = characters.join('')
        const parts = partsOf(text)
        if (!parts) return
        const again = parts.map((part) => ('text' in part ? part.text.replaceAll('${', '$${') : `\${${part.source}}`))
        expect(again.join('')).toBe(text.replaceAll(/\$\$\{/g, '$${'))
      }),
    )
  })
})
