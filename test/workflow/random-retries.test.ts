import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyCase } from './any-plan.ts'
import { ask, type Begun, begin, type Case, check, ended, type Ground, startGround } from './case-runner.ts'
import type { Retry } from './laws.ts'
import { casesOf, everyCase } from './many-cases.ts'
import { firstFirst, Model, runToEnd } from './model.ts'
import type { RecordedRun } from './recorded-run.ts'

const timeout = 3_600_000

const MENDED: Retry = { step: null, mended: true }

/** A case, and a number that chooses: a step, or a moment. */
type Chosen = Case & { readonly choice: number }

function chosen(flavour: 'settled' | 'canceling', max: number): fc.Arbitrary<Chosen> {
  return fc.tuple(anyCase(flavour), fc.nat(max)).map(([drawn, choice]) => ({ ...drawn, choice }))
}

/** The states after a run has ended and been retried, each time to its end. */
function predicted({ plan, flags }: Case, retries: readonly Retry[]) {
  const model = new Model(plan, flags)
  runToEnd(model, firstFirst)
  for (const { step, mended } of retries) {
    model.mended ||= mended
    model.retry(step)
    runToEnd(model, firstFirst)
  }
  return model.states
}

async function retry(ground: Ground, begun: Begun, { step, mended }: Retry): Promise<RecordedRun> {
  if (mended) ground.world.mended.add(begun.tag)
  expect(await ask(ground, 'retryRun', { id: begun.id, step })).toBe('RetryRunPayload')
  return ended(ground, begun)
}

/** Retries what has failed, first one of its steps; gives what was asked for. */
async function mend(ground: Ground, drawn: Chosen, oneStepFirst: boolean): Promise<void> {
  const begun = await begin(ground, drawn)
  let recorded = await ended(ground, begun)
  const retries: Retry[] = []
  const failed = drawn.plan.steps.filter(({ key }) => recorded.states.get(key) === 'FAILED')
  const step = failed[drawn.choice % failed.length]?.key
  for (const next of oneStepFirst && step ? [{ step, mended: true }, MENDED] : [MENDED]) {
    if (recorded.states.get('') !== 'FAILED') break
    retries.push(next)
    recorded = await retry(ground, begun, next)
    check(ground, drawn, recorded, retries)
  }
}

async function endsMended(ground: Ground, drawn: Chosen): Promise<void> {
  await mend(ground, drawn, false)
}

async function endsMendedStepByStep(ground: Ground, drawn: Chosen): Promise<void> {
  await mend(ground, drawn, true)
}

/** Cancels a run at some moment, and has it go on: broken as it was, it comes to the same end as if nothing had happened. */
async function survivesCancel(ground: Ground, drawn: Chosen, sameEnd: boolean): Promise<void> {
  const begun = await begin(ground, drawn, 0)
  await sleep(drawn.choice)
  await ask(ground, 'cancelRun', { id: begun.id })
  let recorded = await ended(ground, begun)
  check(ground, drawn, recorded, [])
  const retries: Retry[] = []
  if (recorded.states.get('') === 'CANCELED') {
    retries.push({ step: null, mended: false })
    recorded = await retry(ground, begun, retries[0]!)
    check(ground, drawn, recorded, retries)
  }
  if (sameEnd) expect(Object.fromEntries(recorded.states)).toEqual(predicted(drawn, []))
  if (recorded.states.get('') !== 'FAILED') return
  recorded = await retry(ground, begun, MENDED)
  check(ground, drawn, recorded, [...retries, MENDED])
}

test('a failed run that is mended and retried ends as the model says beforehand', { timeout }, async () => {
  await everyCase(await startGround(), chosen('settled', 20), casesOf(40), async (ground, drawn) => {
    await endsMended(ground, drawn)
    expect(predicted(drawn, [MENDED])['']).toBe('SUCCEEDED')
  })
})

test('a failed run of which one step is retried, then all, ends as the model does', { timeout }, async () => {
  await everyCase(await startGround(), chosen('settled', 20), casesOf(40), endsMendedStepByStep)
})

test('a failed run whose joins cancel the others is retried as the model does it', { timeout }, async () => {
  await everyCase(await startGround(), chosen('canceling', 20), casesOf(20), endsMendedStepByStep)
})

test('a run that is canceled at any moment and retried ends as if nobody had canceled it', { timeout }, async () => {
  await everyCase(await startGround(), chosen('settled', 40), casesOf(40), (ground, drawn) =>
    survivesCancel(ground, drawn, true),
  )
})

test('a run whose joins cancel the others is canceled and retried as the model does it', { timeout }, async () => {
  await everyCase(await startGround(), chosen('canceling', 40), casesOf(20), (ground, drawn) =>
    survivesCancel(ground, drawn, false),
  )
})
