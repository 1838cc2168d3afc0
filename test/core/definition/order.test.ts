import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ancestry, orderOf } from '../../../src/core/definition/order.ts'

/** Steps that come after earlier ones only, declared in any order. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 70 })
  .map((rows) => rows.map((row, i) => [`s${i}`, i === 0 ? [] : [...new Set(row.map((n) => `s${n % i}`))]] as const))
  .chain((rows) => fc.shuffledSubarray([...rows], { minLength: rows.length }))
  .map((rows) => new Map<string, readonly string[]>(rows))

function reaches(after: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  return (after.get(from) ?? []).some((before) => before === to || reaches(after, before, to))
}

describe('orderOf', () => {
  test('puts every step after those before it', () => {
    fc.assert(
      fc.property(graphs, (after) => {
        const found = orderOf(after)
        if ('circle' in found) throw new Error('there is no circle')
        expect([...found.order].sort()).toEqual([...after.keys()].sort())
        for (const [key, before] of after)
          for (const other of before) expect(found.order.indexOf(other)).toBeLessThan(found.order.indexOf(key))
      }),
    )
  })

  test('names a circle in the order in which its steps would run', () => {
    const after = new Map([
      ['start', []],
      ['a', ['start', 'c']],
      ['b', ['a']],
      ['c', ['b']],
    ])
    expect(orderOf(after)).toEqual({ circle: ['a', 'b', 'c', 'a'] })
  })

  test('a circle of 100,000 steps does not end the stack', () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `s${i}`)
    const after = new Map(keys.map((key, i) => [key, [keys[(i + 1) % keys.length]!]]))
    expect(orderOf(after)).toHaveProperty('circle')
  })
})

test('ancestry knows which steps come before, directly or not', () => {
  fc.assert(
    fc.property(graphs, (after) => {
      const found = orderOf(after)
      if ('circle' in found) throw new Error('there is no circle')
      const comesBefore = ancestry(found.order, after)
      const some = [...after.keys()].slice(0, 12)
      for (const a of some) for (const b of some) expect(comesBefore(a, b)).toBe(reaches(after, b, a))
    }),
    { numRuns: 50 },
  )
})
