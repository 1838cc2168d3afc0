import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GroupCommit } from '../../src/db/group-commit.ts'
import { evenOrOdd, inOrder } from './group-commit-support.ts'

interface Limits {
  readonly grouped: boolean
  readonly enough: number
  readonly maxBatch: number
}

type Fate = 'good' | 'bad' | 'away'

/** A database of numbers: a batch is stored whole or refused whole, and now and then nobody answers. */
class Model {
  readonly stored: number[] = []
  readonly problems: string[] = []
  readonly inFlight = new Set<number[]>()
  private readonly fates: ReadonlyMap<number, Fate>
  private readonly limits: Limits

  constructor(fates: ReadonlyMap<number, Fate>, limits: Limits) {
    this.fates = fates
    this.limits = limits
  }

  async commit(items: number[], answer: () => Promise<unknown>): Promise<string[]> {
    const others = [...this.inFlight]
    if (others.length > 1) this.problems.push('three commits at once')
    const groups = new Set(items.map(evenOrOdd))
    if (this.limits.grouped && others.flat().some((n) => groups.has(evenOrOdd(n))))
      this.problems.push(`${items} beside ${others}`)
    this.inFlight.add(items)
    if (items.length < 1 || items.length > this.limits.maxBatch) this.problems.push(`a batch of ${items.length}`)
    if (items.some((n, i) => i > 0 && n < items[i - 1]!)) this.problems.push(`not in order: ${items}`)
    await answer()
    this.inFlight.delete(items)
    const fates = items.map((n) => this.fates.get(n))
    if (fates.includes('away')) throw Object.assign(new Error('away'), { code: 'ECONNRESET' })
    if (fates.includes('bad')) throw Object.assign(new Error('bad'), { code: '23514' })
    this.stored.push(...items)
    return items.map((n) => `done ${n}`)
  }
}

const fate = fc.constantFrom<Fate>('good', 'good', 'good', 'bad')
const limits = fc.record({
  grouped: fc.boolean(),
  enough: fc.integer({ min: 1, max: 6 }),
  maxBatch: fc.integer({ min: 1, max: 6 }),
})
const fated = (each: fc.Arbitrary<Fate>) =>
  fc.uniqueArray(fc.tuple(fc.nat(1_000), each), { selector: ([n]) => n, minLength: 1, maxLength: 25 })

async function submitAll(scheduler: fc.Scheduler, items: [number, Fate][], limits: Limits) {
  const model = new Model(new Map(items), limits)
  const answer = () => scheduler.schedule(Promise.resolve(), 'answer')
  const { grouped, enough, maxBatch } = limits
  const options = { maxBatch, enough, ...(grouped && { groupOf: evenOrOdd }) }
  const group = new GroupCommit<number, string>((batch) => model.commit(batch, answer), inOrder, options)
  const all = items.map(async ([n]) => {
    await scheduler.schedule(Promise.resolve(), `submit ${n}`)
    const outcome = await group.submit(n)
    if (!model.stored.includes(n)) model.problems.push(`${n} was answered before it was stored`)
    return outcome
  })
  return { model, outcomes: await scheduler.waitFor(Promise.allSettled(all)) }
}

test('in whatever order calls and answers come, good rows are stored once and bad ones fail alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fated(fate), limits, async (scheduler, items, options) => {
      const { model, outcomes } = await submitAll(scheduler, items, options)
      expect(model.problems).toEqual([])
      expect(model.inFlight.size).toBe(0)
      items.forEach(([n, itsFate], i) => {
        expect(outcomes[i]).toMatchObject(
          itsFate === 'good' ? { status: 'fulfilled', value: `done ${n}` } : { reason: { code: '23514' } },
        )
      })
      const good = items.filter(([, itsFate]) => itsFate === 'good').map(([n]) => n)
      expect([...model.stored].sort(inOrder)).toEqual(good.sort(inOrder))
    }),
  )
})

test('with outages as well everybody gets an answer, and nobody is told that a row is stored that is not', async () => {
  const each = fc.oneof(fate, fc.constant<Fate>('away'))
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fated(each), limits, async (scheduler, items, options) => {
      const { model, outcomes } = await submitAll(scheduler, items, options)
      expect(model.problems).toEqual([])
      const told = items.filter((_, i) => outcomes[i]?.status === 'fulfilled').map(([n]) => n)
      expect(told.sort(inOrder)).toEqual([...model.stored].sort(inOrder))
    }),
  )
})
