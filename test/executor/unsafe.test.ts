import { expect, test } from 'vitest'
import { type ActionOptions, action, OutcomeUnknownError, type ProbeVerdict, RetryAfterError } from '../../src/index.ts'
import { aborted, settled } from '../support/runs.ts'
import { type ShownRun, startTestServer, type TestServer } from '../support/server.ts'

type Options = Omit<ActionOptions<undefined, undefined, 'unsafe'>, 'effect'>

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

/** Executes an unsafe action once and answers with its run. */
async function execute(options: Options): Promise<{ server: TestServer; run: ShownRun }> {
  const server = await startTestServer([action('send', { retry: { backoff }, ...options, effect: 'unsafe' })])
  const { run } = await server.execute({ name: 'send' })
  if (!run) throw new Error('there is no run')
  return { server, run }
}

const lose = () => Promise.reject(new OutcomeUnknownError('no answer came'))

/** An action that loses the outcome of its first attempt and is asked what became of it. */
function losingOnce(verdict: () => Promise<ProbeVerdict<unknown>>) {
  const seen = { handler: [] as string[], probe: [] as string[] }
  const options: Options = {
    run: async ({ attempt, idempotencyKey }) => {
      seen.handler.push(idempotencyKey)
      return seen.handler.length === 1 ? lose() : { by: attempt }
    },
    probe: ({ idempotencyKey }) => {
      seen.probe.push(idempotencyKey)
      return verdict()
    },
  }
  return { seen, options }
}

test('an unsafe handler that throws has failed, and is not repeated', async () => {
  let calls = 0
  const { run } = await execute({
    run: () => {
      calls++
      throw new Error('refused')
    },
    probe: () => Promise.reject(new Error('never asked')),
  })
  expect(run).toMatchObject({ status: 'FAILED', error: { message: 'refused' }, attempts: [{ status: 'FAILED' }] })
  expect(run.events.at(-1)).toMatchObject({ reason: 'PERMANENT_FAILURE' })
  expect(calls).toBe(1)
})

test('an unsafe handler that throws RetryAfterError did nothing, and is repeated', async () => {
  const { run } = await execute({
    run: ({ attempt }) => {
      if (attempt === 1) throw new RetryAfterError('busy', 0)
      return attempt
    },
  })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 2, attempts: [{ status: 'FAILED' }, {}] })
})

test('a timeout leaves the outcome of an unsafe action unknown: nothing repeats it', async () => {
  let calls = 0
  const { run } = await execute({
    timeoutMs: 50,
    run: ({ signal }) => {
      calls++
      return aborted(signal)
    },
  })
  expect(run).toMatchObject({
    status: 'INDETERMINATE',
    error: { code: 'ATTEMPT_TIMED_OUT' },
    attempts: [{ status: 'TIMED_OUT' }],
  })
  expect(run.events.at(-1)).toMatchObject({ from: 'RUNNING', to: 'INDETERMINATE', reason: 'OUTCOME_UNKNOWN' })
  expect(calls).toBe(1)
})

test('an OutcomeUnknownError makes the run INDETERMINATE, whatever its details hold', async () => {
  const { run } = await execute({
    run: () => {
      throw new OutcomeUnknownError('the answer was lost', { details: { 'a\0b': 1 } })
    },
  })
  expect(run).toMatchObject({
    status: 'INDETERMINATE',
    error: { code: 'OUTCOME_UNKNOWN', message: 'the answer was lost' },
    attempts: [{ status: 'FAILED' }],
  })
})

test('a probe that finds the effect ends the run with its result, without calling the handler again', async () => {
  const { seen, options } = losingOnce(async () => ({ outcome: 'succeeded', result: { found: true } }))
  const { run } = await execute(options)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { found: true } })
  expect(run.events.map(({ to, reason }) => [to, reason])).toEqual([
    ['RUNNING', 'STARTED'],
    ['QUEUED', 'PROBE_NEEDED'],
    ['RUNNING', 'STARTED'],
    ['SUCCEEDED', 'PROBE_CONFIRMED'],
  ])
  expect(seen).toEqual({ handler: [run.id], probe: [run.id] })
})

test('a probe that finds that nothing happened lets the handler run again, with the same key', async () => {
  const { seen, options } = losingOnce(async () => ({ outcome: 'not-executed' }))
  const { run } = await execute(options)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { by: 2 } })
  expect(seen).toEqual({ handler: [run.id, run.id], probe: [run.id] })
})

const undecided: [string, () => Promise<ProbeVerdict<unknown>>][] = [
  ['cannot tell', async () => ({ outcome: 'unknown' })],
  ['throws', () => Promise.reject(new Error('the service is down'))],
  ['throws what cannot be touched', () => Promise.reject(Proxy.revocable({}, {}).proxy)],
  ['finds a result that is no JSON', async () => ({ outcome: 'succeeded', result: () => 1 })],
  ['answers nonsense', async () => 'yes' as unknown as ProbeVerdict<unknown>],
]

test.each(undecided)('a probe that %s leaves the decision to an operator', async (_, verdict) => {
  const { seen, options } = losingOnce(verdict)
  const { run } = await execute(options)
  expect(run).toMatchObject({ status: 'INDETERMINATE', error: { code: 'OUTCOME_UNKNOWN' } })
  expect(run.events.at(-1)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', attempt: 2 })
  expect(seen.handler).toHaveLength(1)
})

test('a probe that takes longer than timeoutMs leaves the decision to an operator', async () => {
  const { run } = await execute({ timeoutMs: 50, run: lose, probe: () => new Promise(() => {}) })
  expect(run).toMatchObject({ status: 'INDETERMINATE', error: { code: 'OUTCOME_UNKNOWN' } })
})

test('outcomes that are lost again and again end the run after maxAttempts, once nothing is known to have happened', async () => {
  let calls = 0
  const { run } = await execute({
    retry: { maxAttempts: 3, backoff },
    run: () => {
      calls++
      return lose()
    },
    probe: async () => ({ outcome: 'not-executed' }),
  })
  expect(run.status).toBe('FAILED')
  expect(run.events.at(-1)).toMatchObject({ reason: 'RETRIES_EXHAUSTED' })
  expect(calls).toBe(3)
})

test('an operator retries an INDETERMINATE run: the handler runs again at once, with the same key', async () => {
  const { seen, options } = losingOnce(async () => ({ outcome: 'unknown' }))
  const { server, run } = await execute(options)
  expect(run.status).toBe('INDETERMINATE')
  await server.query('mutation($id: ID!) { retryRun(input: { id: $id, reason: "checked" }) { __typename } }', {
    id: run.id,
  })
  const then = await settled(server, run.id)
  expect(then).toMatchObject({ status: 'SUCCEEDED', result: { by: 3 }, error: null })
  expect(then.events.map(({ from, to, reason }) => [from, to, reason]).slice(4)).toEqual([
    ['INDETERMINATE', 'QUEUED', 'RETRY_REQUESTED'],
    ['QUEUED', 'RUNNING', 'STARTED'],
    ['RUNNING', 'SUCCEEDED', 'COMPLETED'],
  ])
  expect(seen.handler).toEqual([run.id, run.id])
})

test('an operator who gives an INDETERMINATE run up cancels it', async () => {
  const { server, run } = await execute({ run: lose })
  const document = 'mutation($id: ID!) { cancelRun(input: { id: $id }) { ... on CancelRunPayload { run { status } } } }'
  expect(await server.query(document, { id: run.id })).toEqual({ cancelRun: { run: { status: 'CANCELED' } } })
})
