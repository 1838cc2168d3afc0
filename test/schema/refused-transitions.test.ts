import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf, type WorkflowServer } from '../support/workflows.ts'

const fine = action('fine', { params: z.looseObject({}), run: () => 1 })
const broken = action('broken', {
  params: z.looseObject({}),
  run: () => {
    throw new NonRetryableError('broken')
  },
})
const lost = action('lost', {
  effect: 'unsafe',
  params: z.looseObject({}),
  run: () => {
    throw new OutcomeUnknownError('no answer')
  },
})

async function previewOf(server: WorkflowServer, id: string, step: string | null): Promise<string | undefined> {
  const { retryPreview } = await server.query<{ retryPreview: { message?: string } }>(
    'query($id: ID!, $step: String) { retryPreview(id: $id, step: $step) { ... on Error { message } } }',
    { id, step },
  )
  return retryPreview.message
}

test('a run is paused once, and resumed once', async () => {
  const server = await startWorkflowServer({ workflows: [workflow('w').signal('go')] })
  const { id } = (await server.start({ name: 'w' })).run!
  const refused = { code: 'INVALID_TRANSITION', status: 'RUNNING' }
  expect(await operate(server, 'resumeRun', { id })).toMatchObject({ ...refused, message: 'The run is not paused.' })
  await operate(server, 'pauseRun', { id })
  expect(await operate(server, 'pauseRun', { id })).toMatchObject({ ...refused, message: 'The run is paused already.' })
})

test('a step that is not retried is named, with what to do instead; the preview says the same', async () => {
  const w = workflow('w')
    .step('user', fine)
    .step('inner', workflow('inner').step('first', fine))
    .step('payment', broken)
    .step('welcome', fine)
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = await server.run({ name: 'w' })
  const only = 'only one that is FAILED, CANCELED, INDETERMINATE'
  for (const [step, status, message] of [
    ['welcome', 'PENDING', `Step "welcome" is PENDING and cannot be retried; ${only}`],
    ['welcome', 'PENDING', 'It has not begun: if a step before it has failed, retry that one.'],
    ['user', 'SUCCEEDED', `Step "user" is SUCCEEDED and cannot be retried; ${only}`],
    ['user', 'SUCCEEDED', 'To do it again, fork the run: forkRun(fromStep: "user").'],
  ] as const) {
    const text = expect.stringContaining(message)
    expect(await operate(server, 'retryRun', { id, step })).toMatchObject({
      code: 'INVALID_TRANSITION',
      status,
      message: text,
    })
    expect(await previewOf(server, id, step)).toEqual(text)
  }
  // a fork begins at a step of the run's own graph
  expect((await operate(server, 'retryRun', { id, step: 'inner/first' })).message).toMatch(
    /^Step "inner\/first" is SUCCEEDED .* forkRun\(fromStep: "inner"\)\.$/,
  )
  // and only of a root
  const { run: inner } = (await server.look(id)).steps.find(({ key }) => key === 'inner')!
  expect((await operate(server, 'retryRun', { id: inner.id, step: 'first' })).message).toMatch(
    /^Step "first" is SUCCEEDED .* can\.$/,
  )
  const done = await server.run({ definition: { name: 'd', steps: [{ key: 'a', value: 1 }] } })
  const text = expect.stringMatching(
    /^A run that is SUCCEEDED cannot be retried; .* fork it: forkRun\(fromStep: …\)\.$/,
  )
  expect((await operate(server, 'retryRun', { id: done.id })).message).toEqual(text)
  expect(await previewOf(server, done.id, null)).toEqual(text)
})

test('who resolves a workflow is told which of its steps to name', async () => {
  const inner = workflow('inner').step('slow', lost)
  const w = workflow('w')
    .step('charge', lost, () => ({}), { after: [] })
    .step('sub', inner, () => ({}), { after: [] })
    .forEach(
      'each',
      () => [1],
      lost,
      () => ({}),
      { after: [] },
    )
    .step('bad', broken, () => ({}), { after: [], onError: 'continue' })
  const server = await startWorkflowServer({ workflows: [w] })
  const { id, status } = await server.run({ name: 'w' })
  expect(status).toBe('INDETERMINATE')
  const whole = await operate(server, 'resolveRun', { id, outcome: 'FAILED' })
  expect(whole).toMatchObject({ code: 'INVALID_TRANSITION', status: 'INDETERMINATE' })
  expect(whole.message).toMatch(/^Name the step whose outcome is unknown: step: ".*"\.$/)
  expect([...whole.message!.matchAll(/step: "(.*?)"/g)].map(([, path]) => path).sort()).toEqual([
    'charge',
    'each[0]',
    'sub/slow',
  ])
  expect((await operate(server, 'resolveRun', { id, step: 'sub', outcome: 'FAILED' })).message).toBe(
    'Name the step whose outcome is unknown: step: "sub/slow".',
  )
  expect((await operate(server, 'resolveRun', { id, step: 'bad', outcome: 'FAILED' })).message).toBe(
    'Step "bad" is FAILED and cannot be resolved; only one that is INDETERMINATE can.',
  )
})

test('a failed step whose dependents have gone on is not skipped, and the refusal says why', async () => {
  const w = workflow('w')
    .step('a', broken, () => ({}), { onError: 'continue' })
    .signal('go')
  const server = await startWorkflowServer({ workflows: [w] })
  const { id } = (await server.start({ name: 'w' })).run!
  await expect.poll(async () => statesOf(await server.look(id))).toEqual({ a: 'FAILED', go: 'WAITING' })
  expect(await operate(server, 'skipStep', { id, step: 'a' })).toMatchObject({
    code: 'INVALID_TRANSITION',
    message: 'Step "a" is FAILED and cannot be skipped. Those after it have heard of its end already.',
  })
})

test('params that do not fit are named by the step that was to take them', async () => {
  const strict = action('strict', { params: z.object({ to: z.string() }), run: () => 1 })
  const w = workflow('w').step('a', strict, () => ({ to: 5 as unknown as string }))
  const server = await startWorkflowServer({ workflows: [w] })
  const [step] = (await server.run({ name: 'w' })).steps
  expect(step?.error).toMatchObject({
    code: 'INVALID_PARAMS',
    message: expect.stringMatching(/^The params do not fit the action: to: .*string/),
  })
})
