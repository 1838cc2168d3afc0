import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

/** Actions that fail until they are told not to, and count what they did. */
function moody() {
  const done: string[] = []
  const broken = new Set<string>()
  const make = (name: string) =>
    action(name, {
      params: z.looseObject({}),
      result: z.object({ n: z.number() }),
      run: ({ idempotencyKey }) => {
        if (broken.has(name)) throw new NonRetryableError(`${name} is broken`, { code: 'BROKEN' })
        done.push(`${name} ${idempotencyKey}`)
        return { n: done.length }
      },
    })
  return { done, broken, make, times: (name: string) => done.filter((one) => one.startsWith(`${name} `)).length }
}

test('retryRun of a step runs it and what depends on it, and keeps what has succeeded', async () => {
  const { broken, make, times } = moody()
  const w = workflow('onboard')
    .step('user', make('user'))
    .step('payment', make('payment'), () => ({}), { after: ['user'] })
    .step('resources', make('resources'), () => ({}), { after: ['user'] })
    .step('welcome', make('welcome'), () => ({}), { after: ['payment', 'resources'] })
    .step('bye', make('bye'))
  broken.add('welcome')
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'onboard' })
  expect(failed.status).toBe('FAILED')
  expect(statesOf(failed)).toEqual({
    user: 'SUCCEEDED',
    payment: 'SUCCEEDED',
    resources: 'SUCCEEDED',
    welcome: 'FAILED',
    bye: 'PENDING',
  })

  const { retryPreview } = await server.query<{ retryPreview: Record<string, { stepKey: string }[]> }>(
    `query($id: ID!) { retryPreview(id: $id, step: "welcome") { ... on RetryPreview {
       again { stepKey } next { stepKey } kept { stepKey } unsafe { stepKey } } } }`,
    { id: failed.id },
  )
  expect(Object.fromEntries(Object.entries(retryPreview).map(([k, v]) => [k, v.map((r) => r.stepKey)]))).toEqual({
    again: ['welcome'],
    next: ['bye'],
    kept: ['user', 'payment', 'resources'],
    unsafe: [],
  })

  broken.clear()
  const retry = await operate(server, 'retryRun', {
    id: failed.id,
    step: 'welcome',
    reason: 'mail is back',
    idempotencyKey: 'k',
  })
  expect(retry).toMatchObject({ __typename: 'RetryRunPayload', replayed: false })
  expect(
    await operate(server, 'retryRun', { id: failed.id, step: 'welcome', reason: 'mail is back', idempotencyKey: 'k' }),
  ).toMatchObject({ replayed: true })
  await expect.poll(async () => (await server.look(failed.id)).status).toBe('SUCCEEDED')
  const now = await server.look(failed.id)
  expect(Object.values(statesOf(now))).toEqual(Array(5).fill('SUCCEEDED'))
  for (const name of ['user', 'payment', 'resources', 'welcome', 'bye']) expect(times(name)).toBe(1)
  expect(now.events.map(({ seq }) => seq)).toEqual(now.events.map((_, i) => i + 1))
  expect(now.events.find(({ reason }) => reason === 'RETRY_REQUESTED')).toMatchObject({
    step: 'welcome',
    data: { reason: 'mail is back' },
  })
  expect(await operate(server, 'retryRun', { id: failed.id })).toMatchObject({
    __typename: 'InvalidTransitionError',
    status: 'SUCCEEDED',
  })
})

test('retryRun without a step retries all that hold the run up; a step that continued on its error makes those after it run again', async () => {
  const { broken, make, times } = moody()
  const w = workflow('w')
    .step('a', make('a'), () => ({}), { onError: 'continue' })
    .step('b', make('b'), ({ a }) => ({ a: a.result ?? null }))
    .step('c', make('c'), () => ({}), { after: [] })
    .step('d', make('d'), () => ({}), { after: [] })
  for (const name of ['a', 'c', 'd']) broken.add(name)
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  expect(statesOf(failed)).toEqual({ a: 'FAILED', b: 'SUCCEEDED', c: 'FAILED', d: 'FAILED' })
  broken.clear()
  await operate(server, 'retryRun', { id: failed.id, step: 'a' })
  await expect
    .poll(async () => statesOf(await server.look(failed.id)))
    .toEqual({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'FAILED', d: 'FAILED' })
  expect(times('b')).toBe(2)
  await expect.poll(async () => (await server.look(failed.id)).status).toBe('FAILED')
  await operate(server, 'retryRun', { id: failed.id })
  await expect.poll(async () => (await server.look(failed.id)).status).toBe('SUCCEEDED')
  expect(times('b')).toBe(2)
})

test('cancelRun ends the tree, and a retry takes it up where it was', async () => {
  const { make, times } = moody()
  const w = workflow('w').step('a', make('a')).sleep('night', 1_000_000).step('b', make('b'))
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  await expect.poll(async () => statesOf(await server.look(run!.id)).night).toBe('WAITING')
  const canceled = await operate(server, 'cancelRun', { id: run!.id, reason: 'enough' })
  expect(canceled.run).toMatchObject({ status: 'CANCELED' })
  expect(statesOf(canceled.run!)).toEqual({ a: 'SUCCEEDED', night: 'CANCELED', b: 'PENDING' })
  await operate(server, 'retryRun', { id: run!.id })
  expect(statesOf(await server.look(run!.id))).toEqual({ a: 'SUCCEEDED', night: 'WAITING', b: 'PENDING' })
  server.advance(1_000_001)
  // the lease of the worker has expired with the jump, and is taken anew
  await expect.poll(async () => (await server.look(run!.id)).status, { timeout: 15_000 }).toBe('SUCCEEDED')
  expect(times('a')).toBe(1)
})

test('pauseRun lets nothing new begin, resumeRun lets it go on', async () => {
  const { make, times } = moody()
  const w = workflow('w').signal('go').step('a', make('a')).step('b', make('b'))
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  const id = run!.id
  expect((await operate(server, 'pauseRun', { id, reason: 'wait' })).run).toMatchObject({
    paused: true,
    status: 'RUNNING',
  })
  expect(await operate(server, 'pauseRun', { id })).toMatchObject({ __typename: 'InvalidTransitionError' })
  expect(await operate(server, 'signalRun', { id, name: 'go', payload: 1 })).toMatchObject({
    __typename: 'SignalRunPayload',
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(statesOf(await server.look(id))).toEqual({ go: 'SUCCEEDED', a: 'QUEUED', b: 'PENDING' })
  expect(times('a')).toBe(0)
  await operate(server, 'resumeRun', { id })
  await expect.poll(async () => (await server.look(id)).status).toBe('SUCCEEDED')
})

test('skipStep lets those after it go on with the result given', async () => {
  const { make, broken } = moody()
  broken.add('a')
  const w = workflow('w')
    .step('a', make('a'))
    .value('b', ({ a }) => a.n + 1)
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  const skipped = await operate(server, 'skipStep', {
    id: failed.id,
    step: 'a',
    result: { n: 41 },
    reason: 'done by hand',
  })
  expect(skipped.run).toMatchObject({ status: 'SUCCEEDED', result: 42 })
  expect(statesOf(skipped.run!)).toEqual({ a: 'SKIPPED', b: 'SUCCEEDED' })
  expect(await operate(server, 'skipStep', { id: failed.id, step: 'nope' })).toMatchObject({
    __typename: 'StepNotFoundError',
  })
})

test('resolveRun decides on a lost effect', async () => {
  const charge = action('charge', {
    effect: 'unsafe',
    params: z.looseObject({}),
    result: z.object({ id: z.string() }),
    run: () => {
      throw new OutcomeUnknownError('no answer')
    },
  })
  const w = workflow('w')
    .step('charge', charge)
    .value('after', ({ charge }) => charge.id)
  const server = await startWorkflowServer({ workflows: [w] })
  const lost = await server.run({ name: 'w' })
  expect(lost.status).toBe('INDETERMINATE')
  expect(statesOf(lost)).toEqual({ charge: 'INDETERMINATE', after: 'PENDING' })
  expect(
    await operate(server, 'resolveRun', { id: lost.id, step: 'charge', outcome: 'SUCCEEDED', result: { id: 7 } }),
  ).toMatchObject({ __typename: 'InvalidParamsError' })
  const resolved = await operate(server, 'resolveRun', {
    id: lost.id,
    step: 'charge',
    outcome: 'SUCCEEDED',
    result: { id: 'ch_1' },
  })
  expect(resolved.run).toMatchObject({ status: 'SUCCEEDED', result: 'ch_1' })
})

test('an approval asks for a decision: who may, who did, and a fallback when nobody does', async () => {
  const w = workflow('w').approval('review', {
    payload: z.object({ limit: z.number() }),
    deadlineMs: 60_000,
    fallback: { approved: false, comment: 'too late', payload: { limit: 0 } },
  })
  const server = await startWorkflowServer({ workflows: [w] })
  const { run } = await server.start({ name: 'w' })
  const id = run!.id
  expect(
    await operate(server, 'signalRun', { id, name: 'review', payload: { approved: true, payload: { limit: 'x' } } }),
  ).toMatchObject({ __typename: 'InvalidParamsError' })
  const decided = await operate(server, 'signalRun', {
    id,
    name: 'review',
    payload: { approved: true, comment: 'fine', payload: { limit: 3 } },
  })
  expect(decided.run).toMatchObject({
    status: 'SUCCEEDED',
    result: { approved: true, comment: 'fine', payload: { limit: 3 } },
  })
  const { run: second } = await server.start({ name: 'w' })
  server.advance(60_001)
  await expect.poll(async () => (await server.look(second!.id)).result).toMatchObject({ approved: false, by: null })
  expect(await operate(server, 'signalRun', { id, name: 'review', payload: { approved: true } })).toMatchObject({
    __typename: 'InvalidTransitionError',
  })
})

test('forkRun takes over what came before a step, and runs the rest anew', async () => {
  const { make, times } = moody()
  const w = workflow('w').step('a', make('a')).step('b', make('b')).step('c', make('c'))
  const server = await startWorkflowServer({ workflows: [w] })
  const run = await server.run({ name: 'w' })
  const fork = await operate(server, 'forkRun', { id: run.id, fromStep: 'b', idempotencyKey: 'again' })
  expect(fork).toMatchObject({ __typename: 'ForkRunPayload', replayed: false })
  await expect.poll(async () => (await server.look(fork.run!.id)).status).toBe('SUCCEEDED')
  expect([times('a'), times('b'), times('c')]).toEqual([1, 2, 2])
  expect(await operate(server, 'forkRun', { id: run.id, fromStep: 'b', idempotencyKey: 'again' })).toMatchObject({
    replayed: true,
  })
})

test('several runs are counted, and then retried together', async () => {
  const { make, broken } = moody()
  broken.add('a')
  const w = workflow('w').step('a', make('a'))
  const server = await startWorkflowServer({ workflows: [w] })
  for (let i = 0; i < 3; i++) await server.run({ name: 'w' })
  const filter = { name: 'w', kind: 'WORKFLOW', status: ['FAILED'] }
  const { countRuns } = await server.query<{ countRuns: number }>(
    `query($filter: RunFilter!) { countRuns(filter: $filter) }`,
    { filter },
  )
  expect(countRuns).toBe(3)
  const all = async (expected: number) =>
    (
      await server.query<{ retryRuns: object }>(
        `mutation($input: BulkInput!) { retryRuns(input: $input) { __typename ... on Error { message }
          ... on BulkPayload { outcomes { run { id status } refused { ... on Error { code } } } } } }`,
        { input: { filter, expected, idempotencyKey: 'all' } },
      )
    ).retryRuns
  expect(await all(2)).toMatchObject({ __typename: 'InvalidInputError' })
  broken.clear()
  expect(await all(3)).toMatchObject({ outcomes: [{ refused: null }, { refused: null }, { refused: null }] })
  await expect
    .poll(
      async () =>
        (
          await server.query<{ countRuns: number }>(`query($filter: RunFilter!) { countRuns(filter: $filter) }`, {
            filter: { ...filter, status: ['SUCCEEDED'] },
          })
        ).countRuns,
    )
    .toBe(3)
})
