import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { until } from '../support/until.ts'
import { startWorkflowServer, statesOf, type WorkflowServer } from '../support/workflows.ts'

/** An action that notes what it did and undid, under which key; it fails while its name, or its item, is broken. */
function ledger() {
  const broken = new Set<string>()
  const done: string[] = []
  const undone: string[] = []
  const make = (name: string) =>
    action(name, {
      params: z.looseObject({ item: z.string().optional() }),
      run: ({ params }) => {
        const what = params.item ? `${name} ${params.item}` : name
        if (broken.has(what)) throw new NonRetryableError(`${what} is broken`, { code: 'BROKEN' })
        done.push(what)
        return { what }
      },
      compensate: ({ params, result, idempotencyKey }) => {
        undone.push(`${(result as { what: string }).what} ${params.item ?? ''} ${idempotencyKey}`)
      },
    })
  return { broken, done, undone, make }
}

async function fork(server: WorkflowServer, id: string, fromStep: string) {
  const { run } = await operate(server, 'forkRun', { id, fromStep })
  await expect.poll(async () => (await server.look(run!.id)).status, { timeout: 10_000 }).not.toMatch(/ING$/)
  return server.look(run!.id)
}

test('a fork takes over a list with the errors that it went on with, and what an operator skipped', async () => {
  const { broken, done, make } = ledger()
  broken.add('mail b').add('print')
  const w = workflow('w')

    .forEach(
      'mail',
      () => ['a', 'b', 'c'],
      make('mail'),
      (_, item) => ({ item }),
      { onError: 'continue' },
    )
    .step('print', make('print'), () => ({}), { after: [] })
    .value('seen', ({ mail, print }) => ({ mail: mail.map(({ error }) => error?.code ?? 'sent'), print }), {
      after: ['mail', 'print'],
    })
    .step('last', make('last'), ({ seen }) => ({ seen }))
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  await operate(server, 'skipStep', { id: run.id, step: 'print', result: { what: 'by hand' } })
  await expect.poll(async () => (await server.look(run.id)).status).toBe('SUCCEEDED')
  broken.clear()

  const again = await fork(server, run.id, 'seen')
  expect(again.status).toBe('SUCCEEDED')
  const { run: shown } = await server.query<{ run: object }>(
    'query($id: ID!) { run(id: $id) { ... on WorkflowRun { forkedFrom { id } } } }',
    { id: again.id },
  )
  expect(shown).toEqual({ forkedFrom: { id: run.id } })
  expect(again.result).toEqual({ what: 'last' })
  expect(again.steps.find(({ key }) => key === 'seen')?.result).toEqual({
    mail: ['sent', 'BROKEN', 'sent'],
    print: { what: 'by hand' },
  })
  expect(done.toSorted()).toEqual(['last', 'last', 'mail a', 'mail c'])
})

test('what a fork took over, a sub-workflow included, is undone by it under the keys of the run that did it', async () => {
  const { broken, done, undone, make } = ledger()
  const inner = workflow('inner').step('hotel', make('hotel')).step('car', make('car'))
  const trip = workflow('trip')
    .step('flight', make('flight'), () => ({ item: 'LH1' }))
    .step('inner', inner, () => ({}))
    .step('bill', make('bill'), () => ({}), { onError: 'compensate' })
  const server = await startWorkflowServer({ workflows: [trip] })

  const source = await server.run({ name: 'trip' })
  expect(source.status).toBe('SUCCEEDED')
  broken.add('bill')
  const [one, two] = [await fork(server, source.id, 'bill'), await fork(server, source.id, 'bill')]
  expect(statesOf(one)).toEqual({ flight: 'COMPENSATED', inner: 'COMPENSATED', bill: 'FAILED' })
  expect([one.status, two.status]).toEqual(['COMPENSATED', 'COMPENSATED'])
  expect(done).toEqual(['flight LH1', 'hotel', 'car', 'bill'])
  expect(undone.map((line) => line.split(' ')[0])).toEqual(['car', 'hotel', 'flight', 'car', 'hotel', 'flight'])
  // the second time under the same keys: the systems behind see a repetition
  expect(undone.slice(3)).toEqual(undone.slice(0, 3))
  expect(new Set(undone).size).toBe(3)
  expect(undone[2]).toMatch(/^flight LH1 LH1 run_/)
})

test('what two runs share is undone under one key, whichever of them undoes it', async () => {
  const { broken, done, undone, make } = ledger()
  broken.add('ship')
  const order = workflow('order', { params: z.object({ n: z.number() }), onError: 'compensate' })
    .step('charge', make('charge'), () => ({ item: 'o1' }), { idempotencyKey: () => 'charge-o1' })
    .step('ship', make('ship'))
  const server = await startWorkflowServer({ workflows: [order] })
  const runs = [
    await server.run({ name: 'order', params: { n: 1 } }),
    await server.run({ name: 'order', params: { n: 2 } }),
  ]
  expect(runs.map(({ status }) => status)).toEqual(['COMPENSATED', 'COMPENSATED'])
  expect(done).toEqual(['charge o1'])
  expect(undone).toHaveLength(2)
  expect(undone[0]).toBe(undone[1])
})

test('a run whose list had enough, beside an outcome that is unknown, is forked without that', async () => {
  let goOn = () => {}
  const enough = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const state = { first: false }
  const u = action('u', {
    effect: 'unsafe',
    params: z.object({ n: z.number() }),
    run: async ({ params }) => {
      if (params.n === 2) await until(() => state.first)
      if (params.n === 2) throw new OutcomeUnknownError('the line went dead')
      state.first = true
    },
  })
  const last = action('last', { run: () => enough })
  const w = workflow('w')
    .forEach(
      'list',
      () => [1, 2],
      u,
      (_, n) => ({ n }),
      { need: 1 },
    )
    .step('last', last, () => ({}))
  const server = await startWorkflowServer({ actions: [u, last], workflows: [w] })
  const { id } = (await server.start({ name: 'w' })).run!
  const second = async () => (await server.look(id)).steps.find(({ key, index }) => key === 'list' && index === 1)
  await expect.poll(async () => (await second())?.status).toBe('INDETERMINATE')
  goOn()
  await expect.poll(async () => (await server.look(id)).status).not.toBe('RUNNING')
  const { run } = await operate(server, 'forkRun', { id, fromStep: 'last' })
  await expect.poll(async () => (await server.look(run!.id)).status).toBe('SUCCEEDED')
  const forked = (await server.look(run!.id)).steps.map(({ key, index, status }) => `${key} ${index} ${status}`)
  expect(forked).toEqual(['list null SUCCEEDED', 'list 0 SUCCEEDED', 'list 1 PENDING', 'last null SUCCEEDED'])
})
