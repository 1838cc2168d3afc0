// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../support/stage.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'

const held = (_: unknown, name: string) => ({ name, hold: true })

test('an item that waits for its next attempt keeps its place among those that run at once', async () => {
  const log: string[] = []
  const flaky = action('flaky', {
    params: z.object({ name: z.string() }),
    retry: { maxAttempts: 2, backoff: { initialMs: 60_000, factor: 1, maxMs: 60_000, jitter: false } },
    run: ({ params, attempt }) => {
      log.push(`${params.name}${attempt}`)
      if (params.name === 'x' && attempt === 1) throw new Error('not yet')
      return null
    },
  })
  const w = workflow('w').forEach(
    'each',
    () => ['x', 'y'],
    flaky,
    (_, name) => ({ name }),
    { concurrency: 1 },
  )
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  expect(statesOf(await reaches(server, id, { 'each[0]': 'SCHEDULED' }))).toMatchObject({ 'each[1]': 'PENDING' })
  server.advance(60_001)
  await ends(server, id)
  expect(log).toEqual(['x1', 'x2', 'y1'])
})

/** A list of which one is enough; the rest goes on. */
function early({ task }: ReturnType<typeof stage>) {
  return workflow('w')
    .forEach('each', () => ['x', 'y'], task, held, { need: 1 })
    .step('beside', task, holds('beside'), { after: [] })
    .step('next', task, does('next'), { after: ['each'] })
    .step('both', task, does('both'), { after: ['each', 'beside'] })
}

/** The list has what it needs: what is after it is done, its rest and what is beside it go on. */
async function enoughButNotOver() {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [early(played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('x', 'y', 'beside')
  played.release('x')
  await reaches(server, id, { next: 'SUCCEEDED' })
  return { played, server, id }
}

test('a list that had enough tells those after it once, whatever becomes of its rest', async () => {
  const { played, server, id } = await enoughButNotOver()
  played.release('y')
  expect(statesOf(await reaches(server, id, { each: 'SUCCEEDED' }))).toMatchObject({
    beside: 'RUNNING',
    both: 'PENDING',
  })
  played.release('beside')
  await ends(server, id)
  expect(played.log.filter((entry) => entry === '+next' || entry === '+both')).toEqual(['+next', '+both'])
})

test('a list that had enough and was canceled with its workflow stays so when that is retried', async () => {
  const { played, server, id } = await enoughButNotOver()
  await operate(server, 'cancelRun', { id })
  expect(statesOf(await server.look(id))).toMatchObject({ each: 'CANCELED', beside: 'CANCELED', both: 'PENDING' })
  await operate(server, 'retryRun', { id })
  expect(statesOf(await reaches(server, id, { beside: 'RUNNING' }))).toMatchObject({
    each: 'CANCELED',
    both: 'PENDING',
  })
  played.release('beside')
  const run = await ends(server, id)
  expect(statesOf(run)).toMatchObject({ each: 'CANCELED', 'each[1]': 'CANCELED', both: 'SUCCEEDED' })
})

test('where fewer are completed than are needed the list fails, and a retry of those that failed makes up for it', async () => {
  const broken = new Set(['x', 'y'])
  const moody = action('moody', {
    params: z.object({ name: z.string() }),
    retry: { maxAttempts: 1 },
    run: ({ params }) => {
      if (broken.has(params.name)) throw new Error('no')
      return params.name
    },
  })
  const w = workflow('w')
    .forEach(
      'each',
      () => ['x', 'y', 'z'],
      moody,
      (_, name) => ({ name }),
      { need: 2, rest: 'cancel' },
    )
    .value('next', ({ each }) => each)
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  expect(failed.status).toBe('FAILED')
  expect(statesOf(failed)).toMatchObject({ each: 'FAILED', 'each[2]': 'SUCCEEDED', next: 'PENDING' })
  broken.delete('y')
  await operate(server, 'retryRun', { id: failed.id })
  const run = await ends(server, failed.id)
  expect(run.result).toEqual(['y', 'z'])
})

test('a fork takes over what a list had that did not wait for all', async () => {
  const { task, release, begun } = stage()
  const w = workflow('w')
    .forEach('each', () => ['x', 'y', 'z'], task, held, { need: 2, rest: 'cancel' })
    .step('next', task, ({ each }) => ({ name: `after ${each}` }))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('x', 'y', 'z')
  release('y')
  release('z')
  await ends(server, id)
  const fork = await operate(server, 'forkRun', { id, fromStep: 'next', idempotencyKey: 'again' })
  expect((await ends(server, fork.run!.id)).result).toBe('after y,z')
})

test('a step that ends while its workflow is turned back cancels nothing of what is being undone', async () => {
  const { task, release, begun } = stage()
  const inner = workflow('inner').step('done', task, does('done')).step('deep', task, holds('deep'))
  const fails = action('fails', {
    params: z.object({}),
    retry: { maxAttempts: 1 },
    run: () => {
      throw new Error('no')
    },
  })
  const w = workflow('w', { onError: 'compensate' })
    .step('sub', inner, () => ({}), { after: [] })
    .signal('go', { after: [] })
    .step('a', task, holds('a'), { after: [], cancels: ['sub'] })
    .step('bad', fails, () => ({}), { after: ['go'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('deep', 'a')
  await signal(server, id, 'go')
  await reaches(server, id, { sub: 'COMPENSATING' })
  release('a')
  await reaches(server, id, { a: 'SUCCEEDED', sub: 'COMPENSATING' })
  release('deep')
  await ends(server, id, 'COMPENSATED')
})

test('lists that end early and grow, and steps that end all, are given as data as well', async () => {
  const { task, log, release, begun } = stage()
  const server = await startWorkflowServer({ actions: [task] })
  const definition = {
    name: 'data',
    steps: [
      { key: 'wait', signal: 'wait', transient: true, after: [] },
      {
        key: 'each',
        after: [],
        action: 'task',
        forEach: ['x', 'y'],
        params: { name: '${item}', hold: true },
        until: 'size(result) >= 2 && result[1] == "z"',
        rest: 'cancel',
        more: 'add',
        payloadSchema: { type: 'string' },
      },
      { key: 'next', action: 'task', after: ['each'], params: { name: 'next' }, cancels: ['*'] },
      { key: 'last', action: 'task', params: { name: 'last' } },
    ],
    result: '${each}',
  }
  const id = await begin(server, { definition })
  await begun('x', 'y')
  expect(await operate(server, 'signalRun', { id, name: 'add', payload: 1 })).toMatchObject({ code: 'INVALID_PARAMS' })
  await signal(server, id, 'add', 'z')
  await begun('z')
  release('x')
  release('z')
  const run = await ends(server, id)
  expect(run.result).toEqual(['x', 'z'])
  expect(statesOf(run)).toMatchObject({ 'each[1]': 'CANCELED', next: 'SUCCEEDED', wait: 'CANCELED', last: 'CANCELED' })
  expect(log).not.toContain('+last')
})
