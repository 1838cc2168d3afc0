import fc from 'fast-check'
import { expect, test } from 'vitest'
import { groupBy } from '../../src/core/group-by.ts'

test('nothing makes no group', () => {
  expect(groupBy([], String)).toEqual(new Map())
})

test('groups come in the order of their first member, members in the order given', () => {
  const groups = groupBy(['bee', 'ant', 'bat', 'cow', 'ape'], (word) => word[0])
  expect([...groups]).toEqual([
    ['b', ['bee', 'bat']],
    ['a', ['ant', 'ape']],
    ['c', ['cow']],
  ])
})

test('keys are told apart as a Map does: NaN is one key, 1 and "1" are two', () => {
  expect(groupBy([Number.NaN, 1, '1', Number.NaN], (key) => key).size).toBe(3)
})

test('any iterable is grouped, and no item is lost or seen twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const groups = groupBy(new Set(items).values(), (item) => item % 3)
      const together = [...groups.values()].flat()
      expect(together.sort()).toEqual([...new Set(items)].sort())
      for (const [key, members] of groups)
        expect(members.every((item) => Object.is(item % 3 || 0, key || 0))).toBe(true)
    }),
  )
})
