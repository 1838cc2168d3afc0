import { expect, onTestFinished, test, vi } from 'vitest'
import { HeldRuns } from '../../src/executor/held-runs.ts'
import { TreeCommits } from '../../src/executor/workflow/tree-commits.ts'
import { action, NonRetryableError, workflow } from '../../src/index.ts'
import { cancel, retry } from '../support/control.ts'
import { queryOf } from '../support/notes.ts'
import { until } from '../support/until.ts'
import { startWorkflowServer, type WorkflowServer } from '../support/workflows.ts'

/** Holds back the answer to the next statement that gives a known tree its next step, until the worker has looked thrice at what it holds. */
function lateAnswer({ executor }: WorkflowServer): { readonly wasLate: () => boolean } {
  const looks = vi.spyOn(HeldRuns.prototype, 'reconcile')
  onTestFinished(() => looks.mockRestore())
  const { warm } = executor.db
  const send = warm.unsafe
  let late = false
  const spy = vi.spyOn(warm, 'unsafe').mockImplementation((text, ...rest) => {
    const answer = send(text, ...rest)
    if (late || !text.includes('guarded')) return answer
    late = true
    const before = looks.mock.calls.length
    return answer.then(async (rows) => {
      await until(async () => looks.mock.calls.length >= before + 4)
      return rows
    }) as never
  })
  onTestFinished(() => spy.mockRestore())
  return { wasLate: () => late }
}

test('a step whose begin is committed, and whose answer is late, is not handed on: it begins once, when the answer comes', async () => {
  const calls: number[] = []
  const a = action('a', { run: () => 1 })
  const b = action('b', { effect: 'unsafe', run: ({ attempt }) => void calls.push(attempt) })
  const w = workflow('w')
    .step('a', a, () => ({}))
    .step('b', b, () => ({}))
  const server = await startWorkflowServer({ actions: [a, b], workflows: [w], pollMs: 50 })
  const { wasLate } = lateAnswer(server)
  const run = await server.run({ name: 'w' })
  expect(wasLate()).toBe(true)
  expect(run.events.map(({ step, reason }) => `${step} ${reason}`)).not.toContain('b NOT_STARTED')
  expect(run.status).toBe('SUCCEEDED')
  expect(calls).toEqual([1])
})

test('retry, cancel and retry that share a commit begin one attempt, once', async () => {
  const calls: number[] = []
  const state = { broken: true }
  const b = action('b', {
    effect: 'unsafe',
    run: ({ attempt }) => {
      if (state.broken) throw new NonRetryableError('no')
      calls.push(attempt)
    },
  })
  const w = workflow('w').step('b', b, () => ({}))
  // what the others read first must not wait for the connection of the one that waits
  const server = await startWorkflowServer({ actions: [b], workflows: [w], databaseConnections: 40 })
  const { id } = await server.run({ name: 'w' })
  state.broken = false
  const submitted = vi.spyOn(TreeCommits.prototype, 'submitOnce')
  onTestFinished(() => submitted.mockRestore())
  const answers: Promise<unknown>[] = []
  await queryOf(server.databaseUrl).begin(async (tx) => {
    await tx`select from action_do.runs where parent_id is null for update`
    // the first is refused, and holds the others up: they share the commit after it
    for (const send of [cancel, retry, cancel, retry]) {
      answers.push(send(server, { id }))
      await until(async () => submitted.mock.calls.length === answers.length)
    }
  })
  await Promise.all(answers)
  await expect.poll(async () => (await server.look(id)).status).toBe('SUCCEEDED')
  expect(calls).toEqual([3])
})
