import { expect, test } from 'vitest'
import { begin, check, ended, startGround } from './case-runner.ts'
import type { Plan, PlannedStep } from './plans.ts'
import { RECORDED_SHAPES, type Shape } from './recorded-shapes.ts'

/** Every step is one action that works. */
function planOf(shape: Shape): Plan {
  const step = (key: string, after: string[]): PlannedStep => ({
    key,
    after,
    need: 'all',
    others: 'finish',
    onSkipped: 'skip',
    cancels: [],
    work: { kind: 'action', does: 'works', undo: 'none', takes: 0 },
  })
  return { onError: 'fail', steps: [...shape].map(([key, after]) => step(key, after)) }
}

/** Of how many parts a graph consists that no edge connects. */
function partsOf(shape: Shape): number {
  const part = new Map([...shape.keys()].map((key) => [key, key]))
  const rootOf = (key: string): string => (part.get(key) === key ? key : rootOf(part.get(key)!))
  for (const [key, after] of shape) for (const before of after) part.set(rootOf(before), rootOf(key))
  return new Set([...shape.keys()].map(rootOf)).size
}

test('the shapes are what they are said to be', () => {
  for (const { make, ...said } of RECORDED_SHAPES) {
    const shape = make()
    const before = new Set([...shape.values()].flat())
    expect({
      name: said.name,
      steps: shape.size,
      sources: [...shape.values()].filter((after) => after.length === 0).length,
      sinks: [...shape.keys()].filter((key) => !before.has(key)).length,
      parts: partsOf(shape),
    }).toEqual(said)
  }
})

test('graphs of the shapes that people have recorded run as they are, each step once and in order', {
  timeout: 300_000,
}, async () => {
  const ground = await startGround()
  for (const { name, make } of RECORDED_SHAPES) {
    const drawn = { plan: planOf(make()), flags: { a: true, b: true } }
    const recorded = await ended(ground, await begin(ground, drawn))
    const states = [...recorded.states.values()]
    expect(new Set(states), name).toEqual(new Set(['SUCCEEDED']))
    check(ground, drawn, recorded, [])
  }
})
