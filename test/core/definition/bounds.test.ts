// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { describe, expect, test } from 'vitest'
import { logicOf } from '../../../src/core/definition/logic.ts'
import { accept, duration, mistakes, render, withSteps } from './support.ts'

/** What the event loop may be kept busy for, in milliseconds; several times what it takes, for slow machines. */
const SOON = 1_000

function numbers(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}

describe('an expression cannot keep the event loop busy', () => {
  test.each<[string, string, unknown, string]>([
    ['a long list', 'params.map(x, 1)', numbers(10_001), 'more than 10000 elements'],
    [
      'a large object',
      'params.map(x, 1)',
      Object.fromEntries(numbers(10_001).map((n) => [`k${n}`, n])),
      'more than 10000',
    ],
    ['a loop in a loop', 'params.map(x, params.map(y, x + y))', numbers(10_000), 'operations'],
    ['a loop in a loop that goes on after errors', 'params.all(x, params.all(y, y.z))', numbers(10_000), 'operations'],
    [
      'errors that are swallowed',
      'params.map(x, params.map(y, y.z || y.z || y.z || true))',
      numbers(10_000),
      'operations',
    ],
    ['errors in texts', 'params.all(x, "a".substring(int(x)) == "b")', numbers(10_000).map((n) => n + 5), 'failed'],
    ['loops that end in true', 'params.exists(x, params.map(y, [y]) == [x]) || true', numbers(10_000), 'operations'],
    ['lists put together', 'params + params', numbers(6_000), 'more than 10000 elements'],
    ['comparing large values', 'params.map(x, params == params.map(y, y))', numbers(5_000), 'operations'],
    ['searching a list', 'params.filter(x, x in params.map(y, y))', numbers(10_000), 'operations'],
    ['searching a text', 'params.contains(params.substring(500000) + "b")', 'a'.repeat(1_000_000), 'operations'],
    ['taking a text apart', 'params.split("")', 'a'.repeat(900_000), 'more than 10000 elements'],
    ['texts put together', 'params.map(x, params.map(y, y).join(params[0])).size()', ['a'.repeat(900_000), 'b'], ''],
    ['one large value many times', '[1,2,3,4,5,6,7,8,9].map(x, params)', 'a'.repeat(1_000_000), 'characters'],
    ['a list of a list many times', 'params.map(x, params)', numbers(5_000), 'characters'],
    [
      'a duration without a unit',
      'timestamp("2027-01-01T00:00:00Z") + duration(params)',
      '1'.repeat(1_000_000),
      'duration',
    ],
    ['a number of a million digits', 'double(params)', '1'.repeat(1_000_000), 'no number'],
  ])('%s', (_name, source, params, problem) => {
    let failure = ''
    const took = duration(() => {
      try {
        render(`\${${source}}`, params)
      } catch (error) {
        failure = (error as Error).message
      }
    })
    expect(failure).toContain(problem)
    expect(took).toBeLessThan(SOON)
  })

  test('all expressions of one template share a budget', () => {
    const once = '${params.map(x, x + 1)}'
    const list = numbers(10_000)
    expect(() => render([once], list)).not.toThrow()
    expect(() =>
      render(
        Array.from({ length: 100 }, () => once),
        list,
      ),
    ).toThrow('operations')
  })

  test('a value without expressions costs nothing', () => {
    const constant = { list: numbers(1_000) }
    expect(render(constant)).toBe(constant)
  })
})

describe('a definition has bounds', () => {
  test('10,000 steps, in well under a second', () => {
    const chain = numbers(10_000).map((i) => ({
      key: `s${i}`,
      action: 'do',
      params: i ? { x: `\${s${i - 1}.id}` } : {},
    }))
    let graph = accept(withSteps(chain[0]))
    expect(duration(() => (graph = accept(withSteps(...chain))))).toBeLessThan(2 * SOON)
    expect(graph.steps).toHaveLength(10_000)
    expect(duration(() => logicOf(graph))).toBeLessThan(2 * SOON)
  })

  test('all of them may name the first, through dense edges', () => {
    const steps = numbers(10_000).map((i) => ({
      key: `s${i}`,
      value: i ? '${s0}' : 1,
      after: numbers(Math.min(i, 5)).map((back) => `s${i - 1 - back}`),
    }))
    expect(duration(() => accept(withSteps(...steps)))).toBeLessThan(2 * SOON)
  })

  test('100,000 steps are refused before anything looks at them', () => {
    const steps = numbers(100_000).map((i) => ({ key: `s${i}`, value: 1 }))
    let found = mistakes(null)
    expect(duration(() => (found = mistakes(withSteps(...steps))))).toBeLessThan(SOON)
    expect(found).toEqual([{ path: 'steps', message: 'has 100000 steps; a definition may have 10000' }])
  })

  test('1 MB of JSON', () => {
    expect(mistakes(withSteps({ key: 'a', value: 'é'.repeat(600_000) }))[0]?.message).toContain('may take 1048576')
  })

  test('100 levels', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect(mistakes(withSteps({ key: 'a', value: nested(97) }))).toEqual([])
    expect(mistakes(withSteps({ key: 'a', value: nested(200) }))[0]?.message).toContain('deeper than 100')
  })
})
