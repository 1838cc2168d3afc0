import { expect, test } from 'vitest'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { type ControlAnswer, operate } from '../support/operations.ts'
import { startWorkflowServer, type WorkflowServer } from '../support/workflows.ts'
import { echo } from './bad-support.ts'

const CLICKS = 20

/** So many operators click at once. */
function clicks(server: WorkflowServer, mutation: string, input: (i: number) => object): Promise<ControlAnswer[]> {
  return Promise.all(Array.from({ length: CLICKS }, (_, i) => operate(server, mutation, input(i))))
}

/** How many did it, were told that it was done, and were refused. */
function tally(answers: ControlAnswer[]) {
  const count = (of: (answer: ControlAnswer) => boolean) => answers.filter(of).length
  return {
    did: count(({ replayed }) => replayed === false),
    replayed: count(({ replayed }) => replayed === true),
    refused: count(({ code }) => code === 'INVALID_TRANSITION'),
  }
}

const ONCE_WITH_A_KEY = { did: 1, replayed: CLICKS - 1, refused: 0 }
const ONCE_WITHOUT = { did: 1, replayed: 0, refused: CLICKS - 1 }

/** An action that fails until it is told not to, and counts; a retry of it is slow enough to be seen under way. */
function makePay() {
  const state = { broken: true, done: 0 }
  const pay = action('pay', {
    run: async () => {
      if (state.broken) throw new NonRetryableError('no')
      state.done++
      return state.done
    },
  })
  return { state, w: workflow('w').step('pay', pay).signal('go').step('end', echo) }
}

test.each([
  ['one key', () => ({ idempotencyKey: 'click' }), ONCE_WITH_A_KEY],
  ['a key each', (i: number) => ({ idempotencyKey: `click-${i}` }), ONCE_WITHOUT],
  ['no key', () => ({}), ONCE_WITHOUT],
] as const)('of 20 retries, skips, pauses and cancels at once with %s one does it', async (_, key, expected) => {
  const { state, w } = makePay()
  const server = await startWorkflowServer({ actions: [echo], workflows: [w] })
  const [retried, skipped] = [await server.run({ name: 'w' }), await server.run({ name: 'w' })]
  state.broken = false

  const retries = await clicks(server, 'retryRun', (i) => ({ id: retried.id, step: 'pay', ...key(i) }))
  expect(tally(retries)).toEqual(expected)
  const skips = await clicks(server, 'skipStep', (i) => ({ id: skipped.id, step: 'pay', ...key(i) }))
  expect(tally(skips)).toEqual(expected)

  await expect.poll(async () => (await server.look(retried.id)).steps[1]?.status).toBe('WAITING')
  const pauses = await clicks(server, 'pauseRun', (i) => ({ id: retried.id, ...key(i) }))
  expect(tally(pauses)).toEqual(expected)
  const resumes = await clicks(server, 'resumeRun', (i) => ({ id: retried.id, ...key(i) }))
  expect(tally(resumes)).toEqual(expected)
  const cancels = await clicks(server, 'cancelRun', (i) => ({ id: retried.id, ...key(i) }))
  expect(tally(cancels)).toEqual(expected)

  expect(state.done).toBe(1)
  for (const { id } of [retried, skipped]) {
    const { events } = await server.look(id)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
    const operated = events.filter(({ reason, step }) => reason.endsWith('_REQUESTED') && step !== 'go')
    expect(operated.map(({ reason }) => reason)).toEqual([...new Set(operated.map(({ reason }) => reason))])
  }
})

test('of 20 signals at once with one key one is delivered, and the others know of it', async () => {
  const w = workflow('w').signal('go').signal('more', { signal: 'go' })
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = (await server.start({ name: 'w' })).run!
  const signal = { id, name: 'go', payload: 1, idempotencyKey: 'click' }
  expect(tally(await clicks(server, 'signalRun', () => signal))).toEqual(ONCE_WITH_A_KEY)
  // without a key each is a signal of its own: one more is needed, and one more is taken
  const answers = await clicks(server, 'signalRun', (i) => ({ id, name: 'go', payload: i }))
  expect(tally(answers)).toEqual(ONCE_WITHOUT)
  const run = await server.look(id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: answers.findIndex(({ replayed }) => replayed === false) })
  expect(run.events.filter(({ reason }) => reason === 'SIGNAL_RECEIVED')).toHaveLength(2)
})

test('of 20 decisions at once one decides', async () => {
  const w = workflow('w').approval('ok')
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = (await server.start({ name: 'w' })).run!
  const answers = await clicks(server, 'signalRun', (i) => ({ id, name: 'ok', payload: { approved: i % 2 === 0 } }))
  expect(tally(answers)).toEqual(ONCE_WITHOUT)
  const decided = answers.findIndex(({ replayed }) => replayed === false) % 2 === 0
  expect((await server.look(id)).result).toMatchObject({ approved: decided })
})

test('of 20 starts and 20 forks at once with one key there is one run', async () => {
  const w = workflow('w').step('a', echo, () => ({ n: 1 }))
  const server = await startWorkflowServer({ workflows: [w] })
  const start = { name: 'w', idempotencyKey: 'click', waitMs: 20_000 }
  const starts = await Promise.all(Array.from({ length: CLICKS }, () => server.start(start)))
  expect(new Set(starts.map(({ run }) => run?.id)).size).toBe(1)
  expect(starts.filter(({ replayed }) => !replayed)).toHaveLength(1)
  const { id } = starts[0]!.run!
  const forks = await clicks(server, 'forkRun', () => ({ id, fromStep: 'a', idempotencyKey: 'fork' }))
  expect(tally(forks)).toEqual(ONCE_WITH_A_KEY)
  expect(new Set(forks.map(({ run }) => run?.id)).size).toBe(1)
})
