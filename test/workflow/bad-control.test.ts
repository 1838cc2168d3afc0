import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf, type WorkflowServer } from '../support/workflows.ts'
import { atRest, echo, stillWorks, unchanged } from './bad-support.ts'

/** A bank that declines, loses answers, or pays; it counts the calls. */
function bank() {
  const state = { mode: 'declines' as 'declines' | 'loses' | 'pays', calls: 0 }
  const charge = action('charge', {
    effect: 'unsafe',
    params: z.object({ cents: z.number().int() }),
    result: z.object({ id: z.string() }),
    run: () => {
      state.calls++
      if (state.mode === 'declines') throw new NonRetryableError('no money', { code: 'DECLINED' })
      if (state.mode === 'loses') throw new OutcomeUnknownError('the bank hung up')
      return { id: `ch_${state.calls}` }
    },
  })
  const pay = workflow('pay', { params: z.looseObject({}) })
    .step('order', echo, () => ({ n: 1 }))
    .step('charge', charge, () => ({ cents: 5 }))
    .step('mail', echo, ({ charge }) => ({ id: charge.id }))
  return { state, pay }
}

/** Each is refused with its code, and the run is as it was. */
async function refuses(
  server: WorkflowServer,
  id: string,
  cases: readonly (readonly [what: string, mutation: string, input: object, code: string])[],
): Promise<void> {
  for (const [what, mutation, input, code] of cases) {
    const answer = await unchanged(server, id, () => operate(server, mutation, { id, ...input }))
    expect.soft({ what, mutation, code: answer.code }).toEqual({ what, mutation, code })
  }
}

const NO_RUN = 'run_01h455vb4pex5vsknk084sn02q'

test('signals and decisions that make no sense leave the run as it is', async () => {
  const w = workflow('w')
    .signal('go', { payload: z.object({ n: z.number() }) })
    .approval('ok', { approvers: ['somebody-else'], after: [] })
    .approval('late', { after: ['go'] })
    .approval('mine', { payload: z.object({ max: z.number() }), after: [] })
  const server = await startWorkflowServer({ actions: [echo], workflows: [w], maxParamsBytes: 2_000 })
  const { id, steps } = (await server.start({ name: 'w' })).run!
  const alone = await server.execute({ name: 'echo' })
  await refuses(server, id, [
    ['no run', 'signalRun', { id: NO_RUN, name: 'go' }, 'RUN_NOT_FOUND'],
    ['no id', 'signalRun', { id: 'order-1', name: 'go' }, 'RUN_NOT_FOUND'],
    ['an id with NUL', 'signalRun', { id: 'run_\0', name: 'go' }, 'RUN_NOT_FOUND'],
    ['a single action', 'signalRun', { id: alone.run!.id, name: 'go' }, 'INVALID_INPUT'],
    ['the step itself', 'signalRun', { id: steps[0]!.run.id, name: 'go', payload: { n: 1 } }, 'INVALID_INPUT'],
    ['no name', 'signalRun', { name: '' }, 'INVALID_INPUT'],
    ['a name of 101 characters', 'signalRun', { name: 'n'.repeat(101) }, 'INVALID_INPUT'],
    ['a name with NUL', 'signalRun', { name: 'g\0' }, 'INVALID_INPUT'],
    ['a name that no step waits for', 'signalRun', { name: 'og', payload: { n: 1 } }, 'INVALID_INPUT'],
    ['a payload that does not fit', 'signalRun', { name: 'go', payload: { n: 'one' } }, 'INVALID_PARAMS'],
    ['no payload', 'signalRun', { name: 'go' }, 'INVALID_PARAMS'],
    ['a payload with NUL', 'signalRun', { name: 'go', payload: { n: 1, t: '\0' } }, 'INVALID_PARAMS'],
    ['a payload that is too large', 'signalRun', { name: 'go', payload: 'x'.repeat(2_000) }, 'PAYLOAD_TOO_LARGE'],
    ['an empty key', 'signalRun', { name: 'go', payload: { n: 1 }, idempotencyKey: '' }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a decision by the wrong key', 'signalRun', { name: 'ok', payload: { approved: true } }, 'PERMISSION_DENIED'],
    [
      'a decision that nobody asks for yet',
      'signalRun',
      { name: 'late', payload: { approved: true } },
      'INVALID_INPUT',
    ],
    ['a decision that decides nothing', 'signalRun', { name: 'mine', payload: {} }, 'INVALID_PARAMS'],
    ['a decision that is a text', 'signalRun', { name: 'mine', payload: 'yes' }, 'INVALID_PARAMS'],
    ['approved: "yes"', 'signalRun', { name: 'mine', payload: { approved: 'yes' } }, 'INVALID_PARAMS'],
    ['a misspelt member', 'signalRun', { name: 'mine', payload: { approved: true, coment: 'a' } }, 'INVALID_PARAMS'],
    [
      'a decision whose payload does not fit',
      'signalRun',
      { name: 'mine', payload: { approved: true } },
      'INVALID_PARAMS',
    ],
  ])
  await operate(server, 'cancelRun', { id })
  await refuses(server, id, [
    ['a run that has ended', 'signalRun', { name: 'go', payload: { n: 1 } }, 'INVALID_TRANSITION'],
  ])
  await stillWorks(server)
})

test('operations that make no sense leave the run as it is', async () => {
  const { state, pay } = bank()
  const server = await startWorkflowServer({ actions: [echo], workflows: [pay], maxResultBytes: 2_000 })
  const { id, steps } = await server.run({ name: 'pay' })
  const order = steps[0]!.run.id
  const paths = [
    'none',
    '',
    'charge[',
    'charge[0]',
    'charge[99999999999]',
    'charge/',
    '/charge',
    'charge/none',
    '../order',
    'a\0',
  ]
  await refuses(server, id, [
    ...['retryRun', 'skipStep'].flatMap((mutation) =>
      paths.map((step) => [`the step ${JSON.stringify(step)}`, mutation, { step }, 'STEP_NOT_FOUND'] as const),
    ),
    ['a step that has succeeded', 'retryRun', { step: 'order' }, 'INVALID_TRANSITION'],
    ['a step that has not begun', 'retryRun', { step: 'mail' }, 'INVALID_TRANSITION'],
    ['params for a whole workflow', 'retryRun', { params: { cents: 7 } }, 'INVALID_INPUT'],
    ['a new key for a whole workflow', 'retryRun', { newKey: true }, 'INVALID_INPUT'],
    ['params that do not fit', 'retryRun', { step: 'charge', params: { cents: 'all' } }, 'INVALID_PARAMS'],
    ['a long reason', 'retryRun', { step: 'charge', reason: 'r'.repeat(1_001) }, 'INVALID_INPUT'],
    ['a reason with NUL', 'retryRun', { step: 'charge', reason: '\0' }, 'INVALID_INPUT'],
    ['an empty key', 'retryRun', { step: 'charge', idempotencyKey: '' }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a step that has succeeded', 'skipStep', { step: 'order' }, 'INVALID_TRANSITION'],
    ['a result with NUL', 'skipStep', { step: 'charge', result: '\0' }, 'INVALID_PARAMS'],
    ['a result that is too large', 'skipStep', { step: 'charge', result: 'x'.repeat(2_000) }, 'PAYLOAD_TOO_LARGE'],
    ['a step that is not lost', 'resolveRun', { step: 'charge', outcome: 'FAILED' }, 'INVALID_TRANSITION'],
    ['a whole workflow', 'resolveRun', { outcome: 'RETRY' }, 'INVALID_TRANSITION'],
    ['a result of a failure', 'resolveRun', { step: 'charge', outcome: 'FAILED', result: 1 }, 'INVALID_INPUT'],
    ['an unknown step', 'resolveRun', { step: 'none', outcome: 'RETRY' }, 'STEP_NOT_FOUND'],
    ['an unknown step', 'forkRun', { fromStep: 'none' }, 'STEP_NOT_FOUND'],
    ['a run of a step', 'forkRun', { id: order, fromStep: 'order' }, 'INVALID_INPUT'],
    ['an empty key', 'forkRun', { fromStep: 'charge', idempotencyKey: '' }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a run that has ended', 'pauseRun', {}, 'INVALID_TRANSITION'],
    ['a run that is not paused', 'resumeRun', {}, 'INVALID_TRANSITION'],
    ['a step', 'pauseRun', { id: order }, 'INVALID_INPUT'],
    ['a run that has ended', 'cancelRun', {}, 'INVALID_TRANSITION'],
    ...Object.entries({
      ...{ retryRun: {}, cancelRun: {}, pauseRun: {}, resumeRun: {}, skipStep: { step: 'a' } },
      ...{ resolveRun: { outcome: 'RETRY' }, forkRun: { fromStep: 'order' } },
    }).flatMap(([mutation, input]) =>
      [NO_RUN, 'pay', '', 'run_\0'].map(
        (none) => [`no run ${JSON.stringify(none)}`, mutation, { ...input, id: none }, 'RUN_NOT_FOUND'] as const,
      ),
    ),
  ])
  const { body } = await server.post({
    query: 'mutation($input: SkipStepInput!) { skipStep(input: $input) { __typename } }',
    variables: { input: { id } },
  })
  expect(body.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } })
  expect(state.calls).toBe(1)
  state.mode = 'pays'
  await operate(server, 'retryRun', { id })
  await expect.poll(async () => (await server.look(id)).status).toBe('SUCCEEDED')
  expect(state.calls).toBe(2)
})

test('a lost outcome is resolved once, with a result that fits', async () => {
  const { state, pay } = bank()
  state.mode = 'loses'
  const server = await startWorkflowServer({ actions: [echo], workflows: [pay] })
  const { id } = await server.run({ name: 'pay' })
  await refuses(server, id, [
    ['a result that does not fit', 'resolveRun', { step: 'charge', outcome: 'SUCCEEDED', result: 5 }, 'INVALID_PARAMS'],
    ['no result', 'resolveRun', { step: 'charge', outcome: 'SUCCEEDED' }, 'INVALID_PARAMS'],
    ['a fork behind it', 'forkRun', { fromStep: 'mail' }, 'INVALID_TRANSITION'],
  ])
  const found = { id, step: 'charge', outcome: 'SUCCEEDED', result: { id: 'ch_bank' } }
  expect(await operate(server, 'resolveRun', found)).toMatchObject({ replayed: false })
  await expect.poll(async () => (await server.look(id)).result).toEqual({ id: 'ch_bank' })
  await refuses(server, id, [['a second time', 'resolveRun', found, 'INVALID_TRANSITION']])
})

test('a run is paused once, and resumed once', async () => {
  const w = workflow('w').signal('go').step('a', echo)
  const server = await startWorkflowServer({ actions: [echo], workflows: [w] })
  const { id } = (await server.start({ name: 'w' })).run!
  await refuses(server, id, [['not paused', 'resumeRun', {}, 'INVALID_TRANSITION']])
  await operate(server, 'pauseRun', { id })
  await refuses(server, id, [['paused', 'pauseRun', {}, 'INVALID_TRANSITION']])
  await operate(server, 'resumeRun', { id })
  await refuses(server, id, [['resumed', 'resumeRun', {}, 'INVALID_TRANSITION']])
  await operate(server, 'signalRun', { id, name: 'go' })
  await expect.poll(async () => (await server.look(id)).status).toBe('SUCCEEDED')
})

test('a key names one request: with other arguments it is a mismatch', async () => {
  const { state, pay } = bank()
  const w = workflow('w').signal('go').signal('on')
  const server = await startWorkflowServer({ actions: [echo], workflows: [pay, w] })
  const { id } = await server.run({ name: 'pay' })
  const key = { id, idempotencyKey: 'click' }
  expect(await operate(server, 'retryRun', { ...key, step: 'charge', reason: 'once' })).toMatchObject({
    replayed: false,
  })
  await expect.poll(async () => (await server.look(id)).status).toBe('FAILED')
  await refuses(server, id, [
    ['another reason', 'retryRun', { ...key, step: 'charge', reason: 'twice' }, 'IDEMPOTENCY_MISMATCH'],
    ['no step', 'retryRun', { ...key, reason: 'once' }, 'IDEMPOTENCY_MISMATCH'],
    [
      'other params',
      'retryRun',
      { ...key, step: 'charge', reason: 'once', params: { cents: 6 } },
      'IDEMPOTENCY_MISMATCH',
    ],
  ])
  const again = await unchanged(server, id, () =>
    operate(server, 'retryRun', { ...key, step: 'charge', reason: 'once' }),
  )
  expect(again).toMatchObject({ replayed: true })

  const waiting = (await server.start({ name: 'w' })).run!.id
  const signal = { id: waiting, name: 'go', payload: 1, idempotencyKey: 'signal' }
  expect(await operate(server, 'signalRun', signal)).toMatchObject({ replayed: false })
  await refuses(server, waiting, [
    ['another payload', 'signalRun', { ...signal, payload: 2 }, 'IDEMPOTENCY_MISMATCH'],
    ['another name', 'signalRun', { ...signal, name: 'on' }, 'IDEMPOTENCY_MISMATCH'],
  ])
  expect(await operate(server, 'signalRun', signal)).toMatchObject({ replayed: true })
  expect(statesOf(await server.look(waiting))).toEqual({ go: 'SUCCEEDED', on: 'WAITING' })

  const fork = { id, fromStep: 'mail', idempotencyKey: 'fork' }
  const forked = await operate(server, 'forkRun', fork)
  expect(forked).toMatchObject({ replayed: false })
  await atRest(server, forked.run!.id)
  await refuses(server, id, [['another step', 'forkRun', { ...fork, fromStep: 'order' }, 'IDEMPOTENCY_MISMATCH']])
  // what has become of the source since refuses a new fork, and changes nothing of this one
  state.mode = 'loses'
  await operate(server, 'retryRun', { id, step: 'charge' })
  await expect.poll(async () => (await server.look(id)).status).toBe('INDETERMINATE')
  await refuses(server, id, [['a new one', 'forkRun', { id, fromStep: 'mail' }, 'INVALID_TRANSITION']])
  expect(await operate(server, 'forkRun', fork)).toMatchObject({ replayed: true, run: { id: forked.run!.id } })
})
