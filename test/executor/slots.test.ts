import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { action } from '../../src/executor/define-action.ts'
import { Slots } from '../../src/executor/slots.ts'

const run = () => null
const free = action('free', { run })
const one = action('one', { concurrency: 1, run })
const three = action('three', { concurrency: 3, run })

describe('slots', () => {
  test('are taken until none is left, and one given back can be taken again', () => {
    const slots = new Slots(2)
    expect([slots.take(free), slots.take(free), slots.take(free)]).toEqual([true, true, false])
    slots.give('free')
    expect([slots.free, slots.take(free), slots.take(free)]).toEqual([1, true, false])
  })

  test('of a limited action are as many as it allows, and the others stay for other actions', () => {
    const slots = new Slots(10)
    expect([slots.take(one), slots.take(one)]).toEqual([true, false])
    expect(slots.freeFor(one)).toBe(0)
    expect(slots.freeFor(three)).toBe(3)
    expect(slots.freeFor(free)).toBe(9)
    expect(slots.take(free)).toBe(true)
    slots.give('one')
    expect(slots.take(one)).toBe(true)
  })

  test('are never more for one action than there are in all', () => {
    const slots = new Slots(2)
    expect(slots.freeFor(three)).toBe(2)
  })

  test('are none for a worker that has none', () => {
    const slots = new Slots(0)
    expect([slots.take(free), slots.hold(), slots.free]).toEqual([false, 0, 0])
  })
})

describe('a claim under way', () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [100, 50],
  ])('of %d free slots sets %d aside', (total, held) => {
    const slots = new Slots(total)
    expect(slots.hold()).toBe(held)
    expect(slots.free).toBe(total - held)
  })

  test('leaves its slots to nobody else, and gives back what it did not need', () => {
    const slots = new Slots(4)
    slots.hold()
    expect([slots.take(free), slots.take(free), slots.take(free)]).toEqual([true, true, false])
    slots.fill(['free'])
    expect([slots.free, slots.take(free), slots.take(free)]).toEqual([1, true, false])
  })

  test('may bring runs of a limited action, so none of those is begun meanwhile', () => {
    const slots = new Slots(10)
    slots.hold()
    expect([slots.take(three), slots.take(free)]).toEqual([false, true])
    slots.fill(['three', 'three'])
    expect([slots.freeFor(three), slots.take(three), slots.take(three)]).toEqual([1, true, false])
  })

  test('that failed brings nothing and holds nothing', () => {
    const slots = new Slots(3)
    slots.hold()
    slots.fill([])
    expect([slots.free, slots.take(one)]).toEqual([3, true])
  })
})

test('whatever is taken, given and claimed, no limit is ever exceeded and no slot is lost', () => {
  const actions = [free, one, three]
  const step = fc.record({
    what: fc.constantFrom('take', 'give', 'claim', 'answer'),
    which: fc.nat(2),
    count: fc.nat(5),
  })
  fc.assert(
    fc.property(fc.nat(8), fc.array(step, { maxLength: 60 }), (total, steps) => {
      const slots = new Slots(total)
      const running: string[] = []
      let claim: { room: Map<string, number>; total: number } | undefined
      const count = (name: string) => running.filter((other) => other === name).length
      for (const { what, which, count: brought } of steps) {
        const chosen = actions[which]!
        if (what === 'take' && slots.take(chosen)) running.push(chosen.name)
        if (what === 'give' && running.length > 0) slots.give(running.splice(brought % running.length, 1)[0]!)
        if (what === 'claim' && !claim) {
          const room = new Map(actions.map((each) => [each.name, slots.freeFor(each)]))
          claim = { room, total: slots.hold() }
        }
        if (what === 'answer' && claim) {
          const names = Array(Math.min(brought, claim.total, claim.room.get(chosen.name)!)).fill(chosen.name)
          slots.fill(names)
          running.push(...names)
          claim = undefined
        }
        expect(running.length + (claim?.total ?? 0)).toBeLessThanOrEqual(total)
        expect(slots.free).toBe(total - running.length - (claim?.total ?? 0))
        expect(count('one')).toBeLessThanOrEqual(1)
        expect(count('three')).toBeLessThanOrEqual(3)
      }
    }),
    { numRuns: 300 },
  )
})
