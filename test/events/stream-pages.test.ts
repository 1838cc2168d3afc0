import { describe, expect, test } from 'vitest'
import { groupByPage } from '../../src/events/stream-pages.ts'

const at = (rootId: string, cursor: number) => ({ rootId, cursor })
const shown = (places: { rootId: string; cursor: number }[]) =>
  groupByPage(places).map(({ rootId, after, members }) => [rootId, after, members.map(({ cursor }) => cursor)])

describe('which pages are read', () => {
  test('readers of a root whose next event is in one page share it', () => {
    expect(shown([at('a', 5), at('a', 0), at('a', 199)])).toEqual([['a', 0, [0, 5, 199]]])
  })

  test('who is at the end does not wait for who is far behind', () => {
    expect(shown([at('a', 0), at('a', 200), at('a', 9_000)])).toEqual([
      ['a', 0, [0]],
      ['a', 200, [200]],
      ['a', 9_000, [9_000]],
    ])
  })

  test('each root has pages of its own', () => {
    expect(shown([at('b', 1), at('a', 1), at('b', 2)])).toEqual([
      ['b', 1, [1, 2]],
      ['a', 1, [1]],
    ])
  })

  test('the more roots, the shorter are their pages, so that one read stays bounded', () => {
    const roots = Array.from({ length: 1_000 }, (_, i) => at(`root ${i}`, 0))
    const pages = groupByPage(roots)
    expect(pages).toHaveLength(1_000)
    expect(pages.reduce((sum, { first }) => sum + first, 0)).toBeLessThanOrEqual(10_000)
    expect(groupByPage(roots.slice(0, 1))[0]?.first).toBe(200)
  })

  test('a page holds an event at least, however many there are', () => {
    const roots = Array.from({ length: 20_000 }, (_, i) => at(`root ${i}`, 0))
    expect(groupByPage(roots)[0]?.first).toBe(1)
  })
})
