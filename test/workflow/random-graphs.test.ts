import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyCase } from './any-plan.ts'
import { begin, type Case, check, ended, type Ground, startGround } from './case-runner.ts'
import { casesOf, everyCase } from './many-cases.ts'
import { firstFirst, lastFirst, Model, runToEnd } from './model.ts'

/** Longer than any number of graphs that somebody asks for. */
const timeout = 3_600_000

/** The states that a run ends in, whoever is faster. */
function predicted({ plan, flags }: Case, schedule = firstFirst) {
  const model = new Model(plan, flags)
  runToEnd(model, schedule)
  return model.states
}

async function endsAsPredicted(ground: Ground, drawn: Case): Promise<void> {
  const recorded = await ended(ground, await begin(ground, drawn))
  expect(Object.fromEntries(recorded.states)).toEqual(predicted(drawn))
  check(ground, drawn, recorded, [])
}

async function endsAsReplayed(ground: Ground, drawn: Case): Promise<void> {
  check(ground, drawn, await ended(ground, await begin(ground, drawn)), [])
}

test('where nothing is canceled or undone, the model ends the same in whatever order things happen', () => {
  fc.assert(
    fc.property(anyCase('settled'), fc.infiniteStream(fc.nat()), (drawn, numbers) => {
      const states = predicted(drawn)
      const randomly = predicted(drawn, (choices) => choices[Number(numbers.next().value) % choices.length]!)
      expect(predicted(drawn, lastFirst)).toEqual(states)
      expect(randomly).toEqual(states)
    }),
    { numRuns: 300 },
  )
})

test('a graph ends as the model says beforehand, in an order that its edges allow', { timeout }, async () => {
  await everyCase(await startGround(), anyCase('settled'), casesOf(100), endsAsPredicted)
})

test('a graph whose joins cancel the others ends as the model does in the same order', { timeout }, async () => {
  await everyCase(await startGround(), anyCase('canceling'), casesOf(60), endsAsReplayed)
})

test('a graph that is turned back undoes what was done, as the model does in the same order', { timeout }, async () => {
  await everyCase(await startGround(), anyCase('undoing'), casesOf(60), endsAsReplayed)
})

test('a graph of everything at once ends as the model does in the same order', { timeout }, async () => {
  await everyCase(await startGround(), anyCase('wild'), casesOf(80), endsAsReplayed)
})
