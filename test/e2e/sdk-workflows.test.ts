// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { Do } from '@do-sdk/core'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { API_KEY, startTestServer } from '../support/server.ts'

/** A bank that can be told what to do, and a workflow that pays with it. */
function makeApp() {
  const bank = { mode: 'well' as 'well' | 'declines' | 'unknown', calls: 0 }
  const charge = action('charge', {
    effect: 'unsafe',
    params: z.object({ cents: z.number().int().positive() }),
    result: z.object({ chargeId: z.string() }),
    run: () => {
      bank.calls++
      if (bank.mode === 'declines') throw new NonRetryableError('No money', { code: 'DECLINED' })
      if (bank.mode === 'unknown') throw new OutcomeUnknownError('The bank hung up')
      return { chargeId: `ch_${bank.calls}` }
    },
  })
  const pay = workflow('pay', { params: z.object({ cents: z.number() }) })
    .approval('agreed')
    .step('charge', charge, ({ params }) => ({ cents: params.cents }), { when: ({ agreed }) => agreed.approved })
    .value('receipt', ({ charge }) => ({ for: charge.chargeId }))
  return { bank, app: { actions: [charge], workflows: [pay] } }
}

async function startApp() {
  const { bank, app } = makeApp()
  const server = await startTestServer(app.actions, app)
  const options = { apiKey: API_KEY, url: server.url }
  return { bank, client: new Do<typeof app>(options), untyped: new Do(options) }
}

const AGREED = { name: 'agreed', payload: { approved: true } }

test('a workflow is started, decided on and waited for, with the types of the server', async () => {
  const { client } = await startApp()
  const { run, error } = await client.workflow.start({ name: 'pay', params: { cents: 5 }, idempotencyKey: 'order-1' })
  if (error) throw error
  expect(run).toMatchObject({ kind: 'WORKFLOW', status: 'RUNNING', paused: false, stepKey: null })
  const again = await client.workflow.start({ name: 'pay', params: { cents: 5 }, idempotencyKey: 'order-1' })
  expect(again).toMatchObject({ replayed: true, runId: run.id })
  expect(await client.run.signal(run, AGREED)).toMatchObject({ error: undefined, replayed: false })
  const outcome = await client.run.wait(run)
  if (outcome.error) throw outcome.error
  // null: the decision may skip the charge, and the receipt with it
  expectTypeOf(outcome.result).toEqualTypeOf<{ for: string } | null>()
  expect(outcome.result).toEqual({ for: 'ch_1' })
  const { steps } = await client.run.steps(run)
  expect(steps).toMatchObject([
    { key: 'agreed', dependsOn: [], status: 'SUCCEEDED', attempts: 0, result: { approved: true, by: 'DO_API_KEY' } },
    { key: 'charge', dependsOn: ['agreed'], status: 'SUCCEEDED', attempts: 1, result: { chargeId: 'ch_1' } },
    { key: 'receipt', dependsOn: ['charge'], status: 'SUCCEEDED', attempts: 0, result: { for: 'ch_1' } },
  ])
  expect(steps?.map(({ params }) => params)).toEqual([null, { cents: 5 }, null])
  const charged = steps?.find(({ key }) => key === 'charge')
  expect(Date.parse(charged!.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(charged!.startedAt!))
  expect((await client.run.get(steps![0]!.runId)).run).toMatchObject({ kind: 'STEP', stepKey: 'agreed' })
  // @ts-expect-error cents is a number
  const wrong = await client.workflow.start({ name: 'pay', params: { cents: 'many' } })
  expect(wrong.error).toMatchObject({ code: 'INVALID_PARAMS', issues: [{ path: 'cents' }] })
  // @ts-expect-error no workflow has this name
  expect((await client.workflow.start({ name: 'play' })).error).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' })
})

test('operators pause, resume, preview, retry, skip, resolve and fork', async () => {
  const { bank, client } = await startApp()
  const start = async () => (await client.workflow.start({ name: 'pay', params: { cents: 5 } })).run!

  const paused = await start()
  expect((await client.run.pause(paused, { reason: 'lunch' })).run).toMatchObject({ paused: true, status: 'RUNNING' })
  expect((await client.run.pause(paused)).error).toMatchObject({ code: 'INVALID_TRANSITION' })
  await client.run.signal(paused, AGREED)
  expect((await client.run.resume(paused)).run).toMatchObject({ paused: false })
  expect(await client.run.wait(paused)).toMatchObject({ result: { for: 'ch_1' } })

  bank.mode = 'declines'
  const failed = await start()
  await client.run.signal(failed, AGREED)
  expect((await client.run.wait(failed)).error).toMatchObject({ code: 'STEP_FAILED', details: { code: 'DECLINED' } })
  const { preview } = await client.run.preview(failed, { step: 'charge' })
  expect(preview).toMatchObject({
    again: [{ stepKey: 'charge', status: 'FAILED' }],
    next: [{ stepKey: 'receipt' }],
    kept: [{ stepKey: 'agreed' }],
    unsafe: [{ stepKey: 'charge' }],
  })
  expect((await client.run.skip(failed, { step: 'charge', result: { chargeId: 'by hand' } })).error).toBeUndefined()
  expect(await client.run.wait(failed)).toMatchObject({ result: { for: 'by hand' } })
  expect((await client.run.preview(failed)).error).toMatchObject({ code: 'INVALID_TRANSITION' })

  bank.mode = 'unknown'
  const unknown = await start()
  await client.run.signal(unknown, AGREED)
  expect((await client.run.wait(unknown)).error).toMatchObject({ code: 'INDETERMINATE' })
  const found = { step: 'charge', outcome: 'SUCCEEDED', result: { chargeId: 'ch_bank' } } as const
  expect((await client.run.resolve(unknown, found)).error).toBeUndefined()
  expect(await client.run.wait(unknown)).toMatchObject({ result: { for: 'ch_bank' } })

  bank.mode = 'well'
  const key = { fromStep: 'charge', idempotencyKey: 'once-more' }
  const forked = await client.run.fork(unknown, key)
  if (forked.error) throw forked.error
  expect(forked.runId).not.toBe(unknown.id)
  expect(await client.run.wait(forked.run)).toMatchObject({ result: { for: expect.stringMatching(/^ch_\d+$/) } })
  expect(await client.run.fork(unknown, key)).toMatchObject({ replayed: true, runId: forked.runId })
  expect((await client.run.fork(unknown, { fromStep: 'nope' })).error).toMatchObject({ code: 'STEP_NOT_FOUND' })
})

test('a workflow given as data is started at once, or stored under its name', async () => {
  const { client, untyped } = await startApp()
  const definition = {
    name: 'pay-at-once',
    steps: [{ key: 'pay', action: 'charge', params: { cents: '${params.n}' } }],
  }
  const given = await client.workflow.start({ definition, params: { n: 3 }, waitMs: 20_000 })
  expect(given.run).toMatchObject({ status: 'SUCCEEDED', result: { chargeId: 'ch_1' } })
  const { workflow: stored } = await client.workflow.define(definition)
  expect(stored).toMatchObject({ name: 'pay-at-once', version: '1', mermaid: expect.stringContaining('flowchart') })
  const named = await untyped.workflow.start({ name: 'pay-at-once', params: { n: 4 }, waitMs: 20_000 })
  expect(named.run).toMatchObject({ status: 'SUCCEEDED', result: { chargeId: 'ch_2' } })
  const { error } = await client.workflow.define({ name: 'bad', steps: [{ key: 'a', action: 'none' }] })
  expect(error).toMatchObject({ code: 'INVALID_DEFINITION', issues: [{ path: 'steps.0.action' }] })
})
