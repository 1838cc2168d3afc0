import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, type WorkflowServer } from '../support/workflows.ts'

interface ShownAttempt {
  number: number
  status: string
  startedAt: string
  finishedAt: string
  worker: string
}

interface Shown {
  events: { at: string; step: string | null; reason: string; attempt: number | null }[]
  steps: { key: string; attempts: ShownAttempt[] }[]
}

const ATTEMPTS = `query($id: ID!) { run(id: $id) { events(first: 100) { at step reason attempt }
  ... on WorkflowRun { steps { key attempts { number status startedAt finishedAt worker } } } } }`

/** The attempts of each step; those that succeeded must be as the events tell it. */
async function attemptsOf(server: WorkflowServer, id: string): Promise<Record<string, ShownAttempt[]>> {
  const { run } = await server.query<{ run: Shown }>(ATTEMPTS, { id })
  for (const { key, attempts } of run.steps)
    for (const { number, startedAt, finishedAt } of attempts.filter(({ status }) => status === 'SUCCEEDED')) {
      const at = (reason: string) =>
        run.events.find((event) => event.step === key && event.reason === reason && event.attempt === number)?.at
      expect([startedAt, finishedAt], `${key} ${number}`).toEqual([at('STARTED'), at('COMPLETED')])
    }
  return Object.fromEntries(run.steps.map(({ key, attempts }) => [key, attempts]))
}

/** A workflow whose second step fails until it is mended, which the third does not mind and the fourth does. */
async function startBroken(options: { onError?: 'compensate' }) {
  const state = { broken: true }
  const source = action('source', {
    params: z.looseObject({}),
    result: z.number(),
    run: () => {
      if (state.broken) throw new NonRetryableError('not yet')
      return 7
    },
  })
  const work = action('work', { params: z.looseObject({}), result: z.number(), run: () => 1, compensate: () => {} })
  const w = workflow('w', options)
    .step('first', work, () => ({}))
    .step('source', source, () => ({}), { onError: 'continue' })
    .step('after', work, ({ source }) => ({ given: source.result }))
    .step('end', source, () => ({}))
  return { server: await startWorkflowServer({ workflows: [w] }), state }
}

// the attempt that succeeded is read off its run: whatever becomes of that, it must read the same

test('an attempt that has succeeded reads the same after its step was undone', async () => {
  const { server } = await startBroken({ onError: 'compensate' })
  const undone = await server.run({ name: 'w' })
  expect(undone.status).toBe('COMPENSATED')
  const { first, source, after } = await attemptsOf(server, undone.id)
  expect(first).toMatchObject([{ number: 1, status: 'SUCCEEDED', worker: source?.[0]?.worker }])
  expect(after).toMatchObject([{ number: 1, status: 'SUCCEEDED', worker: source?.[0]?.worker }])
})

test('an attempt that has succeeded reads the same after its step was done again', async () => {
  const { server, state } = await startBroken({})
  const failed = await server.run({ name: 'w' })
  expect(failed.status).toBe('FAILED')
  const before = await attemptsOf(server, failed.id)
  expect(before.after).toMatchObject([{ number: 1, status: 'SUCCEEDED' }])
  state.broken = false
  await operate(server, 'retryRun', { id: failed.id, step: 'source' })
  await expect.poll(async () => (await server.look(failed.id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
  const now = await attemptsOf(server, failed.id)
  expect(now.after).toMatchObject([{ number: 1 }, { number: 2, status: 'SUCCEEDED' }])
  expect(now.after?.[0]).toEqual(before.after?.[0])
  expect(now.first).toEqual(before.first)
  expect(now.source?.map(({ status }) => status)).toEqual(['FAILED', 'SUCCEEDED'])
})
